export {
  type ElfFile,
  type ElfRelocation,
  type ElfSection,
  type ElfSymbol,
  elfLimits,
  parseElf,
  relocationTypes,
  sectionFlags,
  sectionTypes,
} from './elf.js'
