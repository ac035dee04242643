/**
 * `__array(values, ...)` initialisers: each pointer in a map's definition is a relocation of section `.maps` against another
 * map (for maps of maps) or a program (for program arrays). They become names, by index.
 */
import { BpfError } from '../bits/index.js'
import { type ElfFile, relocationTypes } from '../elf/index.js'
import { isCode, TEXT } from './code.js'
import type { DefinedMap } from './maps.js'

const pointerSize = 8

/** Fills `initialValues` of the maps. Throws `BpfError` (`bad-initial-value`). */
export function readInitialValues(elf: ElfFile, section: number | undefined, maps: readonly DefinedMap[]): void {
  if (section === undefined) return
  const names = new Map(maps.map(({ offset, spec }) => [offset, spec.name]))
  const sorted = [...maps].sort((a, b) => a.offset - b.offset)
  for (const { offset, type, symbol } of elf.relocations.get(section) ?? []) {
    if (type === relocationTypes.none) continue
    const map = sorted[lastNotAfter(sorted, offset)]
    const place = { place: map ? `map ${map.spec.name}` : `section .maps, byte ${offset}` }
    const refuse = (sentence: string): BpfError => new BpfError('bad-initial-value', sentence, place)
    if (!map || offset >= map.offset + map.size) throw refuse('the relocation patches no map')
    const from = map.offset + (map.valuesOffset ?? Number.POSITIVE_INFINITY)
    if (offset < from) throw refuse('only values can be initialised')
    if ((offset - from) % pointerSize) throw refuse(`byte ${offset} lies inside a pointer`)
    const target = elf.sections[symbol.section]
    let name: string | undefined
    if (map.spec.type === 'prog_array') {
      if (symbol.type === 'func' && target && isCode(target) && target.name !== TEXT) name = symbol.name
    } else if (symbol.section === section) {
      name = names.get(symbol.value)
    }
    if (name === undefined) {
      const wanted = map.spec.type === 'prog_array' ? 'program' : 'map'
      throw refuse(`'${symbol.name}', its value at byte ${offset - from}, is no ${wanted}`)
    }
    map.initialValues.set((offset - from) / pointerSize, name)
  }
}

function lastNotAfter(maps: readonly DefinedMap[], offset: number): number {
  let low = 0
  let high = maps.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((maps[middle]?.offset ?? 0) <= offset) low = middle + 1
    else high = middle
  }
  return low - 1
}
