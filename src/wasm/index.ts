export { type BlockType, Bytes, Code, valTypes } from './code.js'
export { Effect, Fn, type Label, Local } from './function.js'
export { type FuncType, type Limits, ModuleWriter } from './module.js'
export { type Opcode, opcode, opcodes, type ValType } from './opcodes.js'
export {
  type AnyRoutine,
  createLinker,
  hostRoutine,
  type Linker,
  type Routine,
  routine,
  writeInPlace,
} from './routine.js'
export { type Arg, i32, i64, type Mode, operand, type Target, Value } from './value.js'
