/**
 * Global data: `.data`, `.rodata`, `.bss` and sections whose names begin so (`.data.hot`, `.rodata.str1.1`) become array
 * maps with one element, as libbpf makes them. `.rodata` is frozen once written and read-only to programs. Names follow
 * libbpf too: the object's name, cut so that all fits in 15 bytes, then the section; a section with a second dot keeps its own name.
 */
import { BpfError } from '../bits/index.js'
import type { Btf } from '../btf/types.js'
import { type ElfSection, sectionTypes } from '../elf/index.js'
import { mapFlags } from '../uapi/index.js'
import { objectLimits } from './limits.js'
import type { MapSpec } from './spec.js'

const kernelNameLength = 16
const leastSuffix = 7

/** The DATASEC of each section name. */
export type Datasecs = ReadonlyMap<string, number>

/** Finds all DATASECs; the first where several have one name. */
export function datasecsOf(btf: Btf | undefined): Datasecs {
  const found = new Map<string, number>()
  for (const type of btf?.types ?? []) {
    if (type.kind === 'datasec' && !found.has(type.name)) found.set(type.name, type.id)
  }
  return found
}

/** `data`, `rodata` or `bss` where the section holds global data. */
export function dataKind(section: ElfSection): 'data' | 'rodata' | 'bss' | undefined {
  if (section.size === 0) return undefined
  const [, kind] = /^\.(data|rodata|bss)(?:\.|$)/.exec(section.name) ?? []
  if (section.type === sectionTypes.nobits) return kind === 'bss' ? 'bss' : undefined
  if (section.type !== sectionTypes.progbits) return undefined
  return kind === 'data' || kind === 'rodata' ? kind : undefined
}

/** What libbpf calls the map of a data section of the object file `objectName`. */
export function dataMapName(objectName: string, section: string): string {
  if (section.includes('.', 1)) return section
  const base = objectName.slice(objectName.lastIndexOf('/') + 1)
  const dot = base.indexOf('.')
  const stem = dot < 0 ? base : base.slice(0, dot)
  const room = kernelNameLength - 1 - Math.max(leastSuffix, section.length)
  return (stem.slice(0, Math.max(0, room)) + section).replace(/[^A-Za-z0-9_.]/g, '_')
}

/** The map of one data section; `contents` is a copy. Throws `BpfError` (`global-data-too-large`). */
export function dataMap(
  objectName: string,
  section: ElfSection,
  btf: Btf | undefined,
  datasecs: Datasecs,
  used: number,
): MapSpec {
  if (section.size + used > objectLimits.globalData) {
    const sentence = `${section.size + used} bytes of global data exceed ${objectLimits.globalData}`
    throw new BpfError('global-data-too-large', sentence, { place: `section ${section.name}` })
  }
  const kind = dataKind(section)
  const contents = kind === 'bss' ? new Uint8Array(section.size) : section.data.slice()
  return arrayOf(objectName, section.name, contents, btf, datasecs, kind === 'rodata')
}

/** A one-element array map around `contents`, with the section's DATASEC as value type. */
export function arrayOf(
  objectName: string,
  section: string,
  contents: Uint8Array,
  btf: Btf | undefined,
  datasecs: Datasecs,
  frozen: boolean,
): MapSpec {
  const valueTypeId = datasecs.get(section) ?? 0
  let flags = frozen ? mapFlags.rdonly_prog : 0
  if (btf && hasVisibleVariable(btf, valueTypeId)) flags |= mapFlags.mmapable
  return {
    name: dataMapName(objectName, section),
    type: 'array',
    keySize: 4,
    valueSize: contents.length,
    maxEntries: 1,
    flags,
    keyTypeId: 0,
    valueTypeId,
    numaNode: 0,
    mapExtra: 0n,
    pinning: 'none',
    innerMap: undefined,
    initialValues: new Map(),
    contents,
    section,
    frozen,
  }
}

/** Static variables alone give user space nothing to map (libbpf 1.1). */
function hasVisibleVariable(btf: Btf, datasecId: number): boolean {
  const datasec = btf.type(datasecId)
  if (datasec.kind !== 'datasec') return false
  return datasec.vars.some(({ type }) => {
    const variable = btf.type(type)
    return variable.kind === 'var' && variable.linkage !== 'static'
  })
}
