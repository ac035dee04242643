export { assemble } from './assemble.js'
export { decode, insnSize } from './decode.js'
export { disassemble, disassembleInsn, type Names } from './disassemble.js'
export { encode } from './encode.js'
export type { Insn } from './insn.js'
export {
  callxRegister,
  type Field,
  type InsnClass,
  insnClasses,
  isWide,
  type Kind,
  type OpcodeRow,
  type Operation,
  opcode,
  opcodes,
  pseudoCall,
  pseudoLoad,
} from './opcodes.js'
