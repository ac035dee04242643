/**
 * What a relocated instruction of a program refers to, by the section of the relocation's symbol: a map, a byte of global
 * data, a function of `.text`, or an extern.
 *
 * A function's address is symbol plus `imm` in bytes, a call is symbol plus `imm + 1` in instructions, data is symbol
 * plus `imm` in bytes: clang uses the section's symbol with an addend for whatever is static.
 */
import type { ElfFile } from '../elf/index.js'
import { insnSize } from '../isa/index.js'
import { type Resolve, type Target, TEXT } from './code.js'
import { type Externs, isExtern } from './externs.js'
import type { KconfigLayout } from './kconfig.js'
import type { Reference } from './spec.js'

/** What there is to refer to. */
export interface Referents {
  readonly elf: ElfFile
  readonly externs: Externs
  readonly kconfig: KconfigLayout
  /** Name of the map `.kconfig`. */
  readonly kconfigMap: string
  /** Index of section `.maps` and its maps by offset. */
  readonly maps: { readonly section: number; readonly byOffset: ReadonlyMap<number, string> } | undefined
  /** Names of global data's maps by section index. */
  readonly data: ReadonlyMap<number, string>
}

/** Makes the resolver that `readCode` calls for every relocation; undefined means that nothing fits. */
export function resolver(referents: Referents): Resolve {
  const { elf, externs, maps, data } = referents
  const text = elf.sections.find(({ name }) => name === TEXT)?.index
  return ({ symbol }, addend, isCall) => {
    if (isExtern(symbol)) return external(referents, externs.get(symbol.index), isCall, addend)
    if (symbol.section === 0) return undefined
    if (symbol.section === text) {
      const byte = isCall ? symbol.value + (addend + 1) * insnSize : symbol.value + addend
      return byte % insnSize || byte < 0 ? undefined : { kind: 'function', insn: byte / insnSize }
    }
    if (isCall) return undefined
    if (symbol.section === maps?.section) {
      const name = maps.byOffset.get(symbol.value)
      return name === undefined ? undefined : to({ kind: 'map', name, weak: false, typeId: 0 }, 0)
    }
    const name = data.get(symbol.section)
    if (name === undefined) return undefined
    return to({ kind: 'map_value', name, weak: false, typeId: 0 }, symbol.value + addend)
  }
}

function external(
  { kconfig, kconfigMap }: Referents,
  extern: Externs extends ReadonlyMap<number, infer E> ? E | undefined : never,
  isCall: boolean,
  addend: number,
): Target | undefined {
  if (!extern) return undefined
  const { kind, name, weak, typeId } = extern
  if (kind === 'kconfig') {
    const place = kconfig.places.get(typeId)
    if (isCall || !place) return undefined
    return to({ kind: 'map_value', name: kconfigMap, weak: false, typeId: 0 }, place.offset + addend)
  }
  if (isCall) return kind === 'kfunc' ? to({ kind: 'kfunc', name, weak, typeId }, 0) : undefined
  return to({ kind: 'ksym', name, weak, typeId }, 0)
}

function to(reference: Reference, offset: number): Target {
  return { kind: 'reference', reference, offset: offset | 0 }
}
