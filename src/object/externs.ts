/**
 * Externs: symbols that the object uses and does not define. `__ksym` functions (kfuncs) and variables are found in the
 * kernel when a host loads the program; `__kconfig` variables get their values here and become the map `.kconfig`.
 * Only BTF tells which is which, by the data section (`.ksyms`, `.kconfig`) that lists the extern.
 */
import { BpfError } from '../bits/index.js'
import type { Btf } from '../btf/index.js'
import type { ElfFile, ElfSymbol } from '../elf/index.js'
import type { ExternSpec } from './spec.js'

/** Externs by the index of their symbol. */
export type Externs = ReadonlyMap<number, ExternSpec>

/** Whether a symbol stands for something outside the object. */
export function isExtern(symbol: ElfSymbol): boolean {
  const { section, type, binding } = symbol
  return section === 0 && type === 'notype' && (binding === 'global' || binding === 'weak')
}

/**
 * Finds what each undefined symbol is. Throws `BpfError`: `missing-btf` (externs exist but no BTF), `unknown-extern`
 * (declared neither `__ksym` nor `__kconfig`, or not declared).
 */
export function readExterns(elf: ElfFile, btf: Btf | undefined): Externs {
  const externs = new Map<number, ExternSpec>()
  const symbols = elf.symbols.filter(isExtern)
  if (symbols.length === 0) return externs
  if (!btf) {
    const sentence = `extern ${symbols[0]?.name ?? ''} needs BTF; compile with -g`
    throw new BpfError('missing-btf', sentence, { place: 'section .BTF' })
  }
  const kinds = listed(btf)
  const declared = declarations(btf)
  for (const { index, name, binding } of symbols) {
    const typeId = declared.get(name)
    const section = typeId === undefined ? undefined : kinds.get(typeId)
    if (typeId === undefined || !section) {
      const sentence = typeId === undefined ? 'BTF does not declare it' : 'it is declared neither __ksym nor __kconfig'
      throw new BpfError('unknown-extern', `nothing defines it, and ${sentence}`, { place: `extern ${name}` })
    }
    const kind = section === '.kconfig' ? 'kconfig' : btf.type(typeId).kind === 'func' ? 'kfunc' : 'ksym'
    if (kind === 'kconfig' && btf.type(typeId).kind !== 'var') {
      throw new BpfError('unknown-extern', '__kconfig is for variables', { place: `extern ${name}` })
    }
    externs.set(index, { name, kind, weak: binding === 'weak', typeId })
  }
  return externs
}

/** The first extern declaration of each name. */
function declarations(btf: Btf): Map<string, number> {
  const found = new Map<string, number>()
  for (const type of btf.types) {
    if ((type.kind !== 'var' && type.kind !== 'func') || type.linkage !== 'extern') continue
    if (!found.has(type.name)) found.set(type.name, type.id)
  }
  return found
}

/** Ids that the sections for externs list. */
function listed(btf: Btf): Map<number, '.ksyms' | '.kconfig'> {
  const kinds = new Map<number, '.ksyms' | '.kconfig'>()
  for (const section of ['.ksyms', '.kconfig'] as const) {
    for (const id of btf.find(section, 'datasec')) {
      const datasec = btf.type(id)
      if (datasec.kind !== 'datasec') continue
      for (const { type } of datasec.vars) kinds.set(type, section)
    }
  }
  return kinds
}
