/**
 * What clang leaves to the loader in a relocatable object's BTF: a data section has size 0 there and its global
 * variables all lie at offset 0, because only the linker - here: libbpf, and us - knows the symbols. Also, what is
 * `__hidden` is static once linking is over: a function is then not verified on its own, a variable not offered to user
 * * space.
 */
import { BpfError } from '../bits/index.js'
import { type Btf, type BtfType, encodeBtf, parseBtf } from '../btf/index.js'
import { type ElfFile, sectionFlags } from '../elf/index.js'
import type { KconfigLayout } from './kconfig.js'

/** The same BTF with sizes and offsets of data sections and the linkage of what is hidden as the linked object has them. */
export function fixBtf(btf: Btf, elf: ElfFile, kconfig: KconfigLayout): Btf {
  const symbols = new Map(
    elf.symbols.filter(({ binding, section }) => binding !== 'local' && section).map((s) => [s.name, s]),
  )
  const sections = new Map(elf.sections.map((section) => [section.name, section]))
  const hidden = new Set<string>()
  for (const { name, type, binding, visibility, section } of elf.symbols) {
    if (binding === 'local' || (visibility !== 'hidden' && visibility !== 'internal')) continue
    const isCode = ((elf.sections[section]?.flags ?? 0) & sectionFlags.execinstr) !== 0
    if (type === 'func' && isCode) hidden.add(`func ${name}`)
    if (type === 'object' && section !== 0) hidden.add(`var ${name}`)
  }
  let changed = false
  const types = btf.types.map((type): BtfType => {
    const fixed = fixType(type)
    if (fixed !== type) changed = true
    return fixed
  })
  return changed ? parseBtf(encodeBtf(types)) : btf

  function fixType(type: BtfType): BtfType {
    if (type.kind === 'func' || type.kind === 'var') {
      const isHidden = type.linkage === 'global' && hidden.has(`${type.kind} ${type.name}`)
      return isHidden ? { ...type, linkage: 'static' } : type
    }
    if (type.kind !== 'datasec') return type
    if (type.name === '.kconfig') return { ...type, size: kconfig.size, vars: byOffset(kconfigVars(type)) }
    const section = sections.get(type.name)
    return section ? fixSection(type, section.index, section.size) : type
  }

  function fixSection(datasec: Datasec, index: number, size: number): Datasec {
    const vars = datasec.vars.map((entry) => {
      const variable = btf.type(entry.type)
      if (variable.kind !== 'var' || variable.linkage !== 'global') return entry
      const symbol = symbols.get(variable.name)
      if (symbol?.section !== index) throw bad(datasec.name, `no symbol says where variable ${variable.name} lies`)
      return { ...entry, offset: symbol.value }
    })
    for (const { type, offset, size: own } of vars) {
      if (offset + own > size)
        throw bad(datasec.name, `${btf.type(type).name} ends at ${offset + own} of ${size} bytes`)
    }
    return { ...datasec, size, vars: byOffset(vars) }
  }

  function kconfigVars(datasec: Datasec): Datasec['vars'] {
    return datasec.vars.map((entry) => {
      const place = kconfig.places.get(entry.type)
      return place ? { ...entry, offset: place.offset, size: place.size } : { ...entry, offset: kconfig.size, size: 0 }
    })
  }
}

type Datasec = Extract<BtfType, { kind: 'datasec' }>

function byOffset(vars: Datasec['vars']): Datasec['vars'] {
  return [...vars].sort((a, b) => a.offset - b.offset)
}

function bad(section: string, sentence: string): BpfError {
  return new BpfError('bad-data-section', sentence, { place: `section ${section} in BTF` })
}
