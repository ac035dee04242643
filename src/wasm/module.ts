/**
 * Puts a module together: types, imports, functions, tables, globals, exports, elements, code and the name section, in
 * the order of the binary format. Imports must be declared before the first function, because they come first in each
 * index space. No multiple results, no start function, no data: the memory is imported and filled by its owner.
 */
import { Bytes, type Code, valTypes } from './code.js'
import type { ValType } from './opcodes.js'

/** Parameters and at most one result. */
export interface FuncType {
  readonly params: readonly ValType[]
  readonly result: ValType | undefined
}

/** Bounds of a memory in pages of 64 KiB, of a table in slots. */
export interface Limits {
  readonly min: number
  readonly max?: number
  /** Memory only: usable by several threads; needs `max`. */
  readonly shared?: boolean
}

/** A module under construction. Functions, globals and tables are numbered as they are declared. */
export class ModuleWriter {
  private readonly types = new Map<string, number>()
  private readonly typeBytes: Uint8Array[] = []
  private readonly imports: Uint8Array[] = []
  private readonly funcTypes: number[] = []
  private readonly tables: Uint8Array[] = []
  private readonly globals: Uint8Array[] = []
  private readonly exports: Uint8Array[] = []
  private readonly elements: Uint8Array[] = []
  private readonly bodies: (Uint8Array | undefined)[] = []
  private readonly names: string[] = []
  private importedFuncs = 0
  private importedTables = 0
  private importedGlobals = 0

  /** Index of a function type; equal types share one. */
  type({ params, result }: FuncType): number {
    const key = `${params.join()}>${result ?? ''}`
    const known = this.types.get(key)
    if (known !== undefined) return known
    const bytes = new Bytes(8).byte(0x60).u32(params.length)
    for (const param of params) bytes.byte(valTypes[param])
    bytes.u32(result ? 1 : 0)
    if (result) bytes.byte(valTypes[result])
    this.types.set(key, this.typeBytes.length)
    return this.typeBytes.push(bytes.take()) - 1
  }

  importMemory(module: string, name: string, limits: Limits): void {
    this.imports.push(limitBytes(new Bytes().name(module).name(name).byte(0x02), limits).take())
  }

  importFunc(module: string, name: string, type: FuncType): number {
    if (this.funcTypes.length > 0) throw new Error('function imports must come before functions')
    this.imports.push(new Bytes().name(module).name(name).byte(0x00).u32(this.type(type)).take())
    this.names.push(name)
    return this.importedFuncs++
  }

  /** A table of functions. */
  importTable(module: string, name: string, limits: Limits): number {
    this.imports.push(limitBytes(new Bytes().name(module).name(name).byte(0x01).byte(0x70), limits).take())
    return this.importedTables++
  }

  importGlobal(module: string, name: string, type: ValType, mutable: boolean): number {
    const kind = new Bytes().name(module).name(name).byte(0x03)
    this.imports.push(
      kind
        .byte(valTypes[type])
        .byte(mutable ? 1 : 0)
        .take(),
    )
    return this.importedGlobals++
  }

  /** Declares a function (its body may come later) and returns its index. */
  func(name: string, type: FuncType): number {
    this.funcTypes.push(this.type(type))
    this.bodies.push(undefined)
    this.names.push(name)
    return this.importedFuncs + this.funcTypes.length - 1
  }

  /** Gives a declared function its body. */
  body(func: number, code: Code): void {
    this.bodies[func - this.importedFuncs] = code.finish()
  }

  /** A table of functions. */
  table(limits: Limits): number {
    this.tables.push(limitBytes(new Bytes().byte(0x70), limits).take())
    return this.importedTables + this.tables.length - 1
  }

  /** A global variable with a constant initial value. */
  global(type: ValType, mutable: boolean, initial: bigint | number): number {
    const bytes = new Bytes().byte(valTypes[type]).byte(mutable ? 1 : 0)
    if (type === 'i32') bytes.byte(0x41).s32(Number(initial))
    else bytes.byte(0x42).s64(BigInt(initial))
    this.globals.push(bytes.byte(0x0b).take())
    return this.importedGlobals + this.globals.length - 1
  }

  /** Fills slots of table 0 from `offset` on. */
  element(offset: number, funcs: readonly number[]): void {
    const bytes = new Bytes().u32(0).byte(0x41).s32(offset).byte(0x0b).u32(funcs.length)
    for (const func of funcs) bytes.u32(func)
    this.elements.push(bytes.take())
  }

  exportFunc(name: string, func: number): void {
    this.exports.push(new Bytes().name(name).byte(0x00).u32(func).take())
  }

  exportTable(name: string, table = 0): void {
    this.exports.push(new Bytes().name(name).byte(0x01).u32(table).take())
  }

  exportGlobal(name: string, global: number): void {
    this.exports.push(new Bytes().name(name).byte(0x03).u32(global).take())
  }

  /** The module's bytes. Throws `Error` if a declared function has no body. */
  finish(): Uint8Array<ArrayBuffer> {
    const out = new Bytes(4096).raw([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])
    section(out, 1, this.typeBytes)
    section(out, 2, this.imports)
    section(
      out,
      3,
      this.funcTypes.map((type) => new Bytes(5).u32(type).take()),
    )
    section(out, 4, this.tables)
    section(out, 6, this.globals)
    section(out, 7, this.exports)
    section(out, 9, this.elements)
    section(
      out,
      10,
      this.bodies.map((body, i) => {
        if (!body) throw new Error(`wasm function ${this.names[this.importedFuncs + i]} has no body`)
        return body
      }),
    )
    const functionNames = new Bytes(1024).u32(this.names.length)
    this.names.forEach((name, i) => {
      functionNames.u32(i).name(name)
    })
    const custom = new Bytes(1024).name('name').byte(1).u32(functionNames.length).raw(functionNames.take())
    return out.byte(0).u32(custom.length).raw(custom.take()).take()
  }
}

function limitBytes(out: Bytes, { min, max, shared }: Limits): Bytes {
  out.byte((max === undefined ? 0 : 1) | (shared ? 2 : 0)).u32(min)
  return max === undefined ? out : out.u32(max)
}

function section(out: Bytes, id: number, items: readonly Uint8Array[]): void {
  if (items.length === 0) return
  const body = new Bytes(1024).u32(items.length)
  for (const item of items) body.raw(item)
  out.byte(id).u32(body.length).raw(body.take())
}
