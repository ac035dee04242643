/** `workerbee dump insns|btf|maps|elf|cfg|wasm FILE [NAME]`: what an object holds, and what becomes of it, as text. */
import { BpfError } from '../bits/index.js'
import { BTF_MAGIC, type Btf, cDeclarations, parseBtf, specialFields, typeName } from '../btf/index.js'
import { parseElf, sectionTypes } from '../elf/index.js'
import type { MapSpec, ObjectSpec } from '../object/index.js'
import { listType } from './dump-btf.js'
import { showGraph, showModule } from './dump-engine.js'
import { listProgram } from './dump-insns.js'
import { usageError } from './exit.js'
import { choosePrograms, naming, openSpec, readObjectBytes } from './input.js'
import type { Io } from './io.js'
import { showValue, table } from './show.js'

/** Options of `dump`. */
export interface DumpOptions {
  readonly what: string
  readonly file: string
  readonly name?: string
  /** `insns`: with source lines. */
  readonly source?: boolean
  /** `btf`: as C. */
  readonly c?: boolean
  /** `cfg`: for Graphviz. */
  readonly dot?: boolean
}

const dumps: Readonly<Record<string, (options: DumpOptions, io: Io) => void | Promise<void>>> = {
  insns: dumpInsns,
  btf: dumpBtf,
  maps: dumpMaps,
  elf: dumpElf,
  cfg: dumpCfg,
  wasm: dumpWasm,
}

/** Prints one view of a file. */
export async function dump(options: DumpOptions, io: Io): Promise<number> {
  const act = Object.hasOwn(dumps, options.what) ? dumps[options.what] : undefined
  if (!act) throw usageError('dump', `${Object.keys(dumps).join(', ')} is wanted, not '${options.what}'`)
  await act(options, io)
  return 0
}

function dumpInsns({ file, name, source }: DumpOptions, io: Io): void {
  const spec = openSpec(file)
  choosePrograms(spec, name).forEach((program, i) => {
    if (i > 0) io.out('')
    io.out(io.colors.bold(`${program.name}: ${program.type ?? 'unknown type'}, SEC("${program.section}")`))
    for (const line of listProgram(spec, program, source === true)) {
      io.out(line.startsWith(';') ? io.colors.dim(line) : line)
    }
  })
}

function dumpCfg({ file, name, dot }: DumpOptions, io: Io): void {
  for (const program of choosePrograms(openSpec(file), name)) io.out(showGraph(program, dot === true))
}

async function dumpWasm({ file, name }: DumpOptions, io: Io): Promise<void> {
  const spec = openSpec(file)
  for (const program of choosePrograms(spec, name)) io.out(await showModule(spec, program))
}

function dumpBtf({ file, name, c }: DumpOptions, io: Io): void {
  const btf = openBtf(file)
  const ids = name === undefined ? undefined : btf.find(name)
  if (ids?.length === 0) throw usageError('NAME', `there is no type '${name}' in ${file}`)
  if (c) {
    io.out(cDeclarations(btf, ids ? { ids } : {}).trimEnd())
    return
  }
  const types = ids ? ids.map((id) => btf.type(id)) : btf.types.slice(1)
  io.out(types.flatMap((type) => listType(btf, type)).join('\n'))
}

/** BTF of an object, or a raw blob such as /sys/kernel/btf/vmlinux. */
function openBtf(file: string): Btf {
  const bytes = readObjectBytes(file)
  const magic = (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8)
  if (magic === BTF_MAGIC || magic === 0x9feb) return naming(file, () => parseBtf(bytes))
  const { btf } = openSpec(file)
  if (!btf) throw new BpfError('no-btf', 'the object has no BTF; compile it with -g', { place: file })
  return btf
}

function dumpMaps({ file, name }: DumpOptions, io: Io): void {
  const spec = openSpec(file)
  const maps = Object.values(spec.maps).filter((map) => name === undefined || map.name === name)
  if (name !== undefined && maps.length === 0) throw usageError('NAME', `${spec.name} has no map '${name}'`)
  maps.forEach((map, i) => {
    if (i > 0) io.out('')
    for (const line of describeMap(spec, map)) io.out(line)
  })
}

function describeMap(spec: ObjectSpec, map: MapSpec): string[] {
  const { btf } = spec
  const typed = (id: number): string => (btf && id ? ` ${typeName(btf, id)}` : '')
  const flags = map.flags ? `  flags 0x${map.flags.toString(16)}` : ''
  const lines = [
    `${map.name}: ${map.type}  key ${map.keySize}B${typed(map.keyTypeId)}  value ${map.valueSize}B${typed(map.valueTypeId)}` +
      `  max_entries ${map.maxEntries}${flags}${map.frozen ? '  read-only' : ''}`,
  ]
  if (!btf) return lines
  const { fields, swallowed } = specialFields(btf, map.valueTypeId)
  for (const field of fields) lines.push(`\t${field.kind} at ${field.offset}, ${field.size} bytes`)
  if (swallowed) lines.push(`\tno special field: ${swallowed.sentence} (${swallowed.errno}, which Linux does not tell)`)
  const type = btf.types[map.valueTypeId]
  for (const { type: id } of type?.kind === 'datasec' ? type.vars : []) {
    const variable = btf.type(id).name
    if (map.contents) lines.push(`\t${variable} = ${showValue(spec.variables[variable])}`)
  }
  return lines
}

function dumpElf({ file }: DumpOptions, io: Io): void {
  const elf = naming(file, () => parseElf(readObjectBytes(file)))
  const typeNames = new Map<number, string>(Object.entries(sectionTypes).map(([name, number]) => [number, name]))
  const sections = elf.sections.map((section) => [
    `[${section.index}]`,
    section.name || '-',
    typeNames.get(section.type) ?? `0x${section.type.toString(16)}`,
    String(section.size),
    flagLetters(section.flags),
    String(elf.relocations.get(section.index)?.length ?? 0),
  ])
  for (const line of table([['', 'section', 'type', 'size', 'flags', 'relocations'], ...sections], [3, 5])) io.out(line)
  io.out('')
  const symbols = elf.symbols
    .filter((symbol) => symbol.name !== '' && symbol.type !== 'section')
    .map((symbol) => [
      symbol.name,
      symbol.type,
      symbol.binding,
      elf.sections[symbol.section]?.name || (symbol.section === 0 ? 'undefined' : `0x${symbol.section.toString(16)}`),
      String(symbol.value),
      String(symbol.size),
    ])
  for (const line of table([['symbol', 'type', 'binding', 'section', 'value', 'size'], ...symbols], [4, 5]))
    io.out(line)
}

function flagLetters(flags: number): string {
  return `${flags & 1 ? 'W' : ''}${flags & 2 ? 'A' : ''}${flags & 4 ? 'X' : ''}` || '-'
}
