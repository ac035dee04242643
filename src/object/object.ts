/**
 * From an object file to its {@link ObjectSpec}: libbpf's part, without a kernel and therefore the same everywhere.
 * The order of the steps follows what depends on what: externs need BTF, data sections need symbols, relocations need
 * maps, programs need relocations.
 */
import { BpfError, ByteReader, cString } from '../bits/index.js'
import { type Btf, type BtfExt, type BtfType, parseBtf, parseBtfExt } from '../btf/index.js'
import { type ElfFile, type ElfSection, parseElf, sectionTypes } from '../elf/index.js'
import { type CodeFunction, type CodeSection, readCode, TEXT } from './code.js'
import { arrayOf, type Datasecs, dataKind, dataMap, dataMapName, datasecsOf } from './data.js'
import { readExterns } from './externs.js'
import { fixBtf } from './fix-btf.js'
import { readInitialValues } from './initial-values.js'
import { type KconfigLayout, type KconfigValues, kernelVersionCode, layoutKconfig } from './kconfig.js'
import { type LinkBudget, linkProgram } from './link.js'
import { type DefinedMap, readMapDefinitions } from './maps.js'
import { sectionMeaning } from './sections.js'
import type { ExternSpec, MapSpec, ObjectSpec, ProgramSpec } from './spec.js'
import { readStructOps } from './struct-ops.js'
import { resolver } from './targets.js'
import { variablesOf } from './variables.js'

/** Options of {@link parseObject}. */
export interface ParseObjectOptions {
  /** File name: for messages, and its stem names the maps of global data (default `object`). */
  name?: string
  /** What `LINUX_KERNEL_VERSION` is (default 6.18.0, the reference kernel). */
  kernelVersion?: string
  /** Values of other `__kconfig` externs: `{ CONFIG_HZ: 1000, CONFIG_BPF_LSM: 'y' }`. */
  kconfig?: KconfigValues
}

/** What libbpf knows of a kernel beyond its configuration; true of 6.18 on x86-64 and arm64. */
const knownFacts: KconfigValues = { LINUX_HAS_BPF_COOKIE: true, LINUX_HAS_SYSCALL_WRAPPER: true }

/**
 * Reads a relocatable eBPF object. Programs are linked, their references named; maps, variables, program settings may then
 * be edited, and a host loads the result. Throws `BpfError` or `ParseError` with the codes of `elf/`, `btf/` and of the
 * files in this room; `legacy-maps` and `missing-btf` come from here.
 */
export function parseObject(bytes: Uint8Array, options: ParseObjectOptions = {}): ObjectSpec {
  const name = options.name ?? 'object'
  const elf = parseElf(bytes)
  const { rawBtf, ext } = readBtf(elf)
  const externs = readExterns(elf, rawBtf)
  const kconfig = layoutKconfig(rawBtf, externs, {
    ...knownFacts,
    LINUX_KERNEL_VERSION: kernelVersionCode(options.kernelVersion ?? '6.18.0'),
    ...options.kconfig,
  })
  const btf = rawBtf && fixBtf(rawBtf, elf, kconfig)

  const datasecs = datasecsOf(btf)
  const defined = readMaps(elf, btf, datasecs)
  const global = readData(name, elf, btf, datasecs, kconfig)
  const structOps = readStructOps(elf, btf, datasecs)
  const mapsSection = section(elf, '.maps')?.index
  const resolve = resolver({
    elf,
    externs,
    kconfig,
    kconfigMap: dataMapName(name, '.kconfig'),
    maps:
      mapsSection === undefined
        ? undefined
        : { section: mapsSection, byOffset: new Map(defined.map(({ spec, offset }) => [offset, spec.name])) },
    data: global.names,
  })
  const code = readCode(elf, ext, resolve)
  readInitialValues(elf, mapsSection, defined)

  const maps: Record<string, MapSpec> = Object.create(null)
  for (const spec of [...defined.map(({ spec }) => spec), ...global.specs, ...structOps]) {
    if (spec.name in maps) {
      throw new BpfError('duplicate-map', `two maps have the name ${spec.name}`, { place: `map ${spec.name}` })
    }
    maps[spec.name] = spec
  }
  return {
    name,
    license: licenseOf(elf),
    kernelVersion: versionOf(elf),
    btf,
    programs: linkPrograms(code),
    maps,
    variables: variablesOf(btf, global.specs),
    externs: uniqueExterns([...externs.values()]),
    warnings: pointersInData(elf),
  }
}

function section(elf: ElfFile, name: string): ElfSection | undefined {
  return elf.sections.find((candidate) => candidate.name === name && candidate.type === sectionTypes.progbits)
}

function readBtf(elf: ElfFile): { rawBtf: Btf | undefined; ext: BtfExt | undefined } {
  const btf = section(elf, '.BTF')
  if (!btf) return { rawBtf: undefined, ext: undefined }
  const rawBtf = parseBtf(btf.data)
  const ext = section(elf, '.BTF.ext')
  return { rawBtf, ext: ext && parseBtfExt(ext.data, rawBtf) }
}

function readMaps(elf: ElfFile, btf: Btf | undefined, datasecs: Datasecs): DefinedMap[] {
  if (section(elf, 'maps')) {
    const sentence = "map definitions in SEC('maps') went with libbpf 1.0; define maps in SEC('.maps') with BTF"
    throw new BpfError('legacy-maps', sentence, { place: 'section maps' })
  }
  if (!section(elf, '.maps')) return []
  const datasec = datasecs.get('.maps')
  if (!btf || datasec === undefined) {
    throw new BpfError('missing-btf', 'map definitions need BTF; compile with -g', { place: 'section .maps' })
  }
  return readMapDefinitions(btf, btf.type(datasec) as Extract<BtfType, { kind: 'datasec' }>)
}

function readData(
  name: string,
  elf: ElfFile,
  btf: Btf | undefined,
  datasecs: Datasecs,
  kconfig: KconfigLayout,
): { specs: MapSpec[]; names: Map<number, string> } {
  const specs: MapSpec[] = []
  const names = new Map<number, string>()
  let used = 0
  for (const candidate of elf.sections) {
    if (!dataKind(candidate)) continue
    const spec = dataMap(name, candidate, btf, datasecs, used)
    used += candidate.size
    specs.push(spec)
    names.set(candidate.index, spec.name)
  }
  if (kconfig.size > 0) specs.push(arrayOf(name, '.kconfig', kconfig.contents, btf, datasecs, true))
  return { specs, names }
}

/** Functions outside `.text`, or the only function of all: libbpf takes that one for a program wherever it stands. */
function linkPrograms(code: readonly CodeSection[]): Record<string, ProgramSpec> {
  const programs: Record<string, ProgramSpec> = Object.create(null)
  const budget: LinkBudget = { insns: 0 }
  const text = code.find(({ name }) => name === TEXT)
  const single = code.reduce((sum, { functions }) => sum + functions.length, 0) === 1
  for (const part of code) {
    if (part === text && !single) continue
    for (const main of part.functions) {
      if (main.name in programs) {
        throw new BpfError('duplicate-program', `two programs have the name ${main.name}`, {
          place: `section ${part.name}`,
        })
      }
      programs[main.name] = programOf(main, text, budget)
    }
  }
  return programs
}

function programOf(main: CodeFunction, text: CodeSection | undefined, budget: LinkBudget): ProgramSpec {
  return { name: main.name, ...sectionMeaning(main.section.name), ...linkProgram(main, text, budget) }
}

/** Nothing relocates global data: libbpf passes over the relocations of such sections, and the program reads addends. */
function pointersInData(elf: ElfFile): string[] {
  return elf.sections.filter(dataKind).flatMap(({ index, name }) => {
    const [first, ...more] = elf.relocations.get(index) ?? []
    if (!first) return []
    const target = `${first.symbol.name || 'something'}, at byte ${first.offset}`
    return [
      `section ${name}: a pointer to ${target}, is not filled in${more.length ? `, nor ${more.length} more` : ''}`,
    ]
  })
}

function uniqueExterns(externs: readonly ExternSpec[]): ExternSpec[] {
  return [...new Map(externs.map((extern) => [extern.name, extern])).values()]
}

function licenseOf(elf: ElfFile): string {
  const data = section(elf, 'license')?.data
  if (!data) return ''
  return cString(data, 0) ?? new TextDecoder().decode(data)
}

function versionOf(elf: ElfFile): number {
  const data = section(elf, 'version')?.data
  return data ? new ByteReader(data, 'version').u32() : 0
}
