export { type AluOp, alu, forkScalar } from './alu.js'
export { branchTaken, type JumpOp, type Refined, refine } from './branch.js'
export { formatRanges, formatScalar, formatSigned, formatUnsigned } from './format.js'
export {
  constant,
  constantValue,
  contains,
  intersect,
  isConstant,
  type Scalar,
  sameScalar,
  signExtend,
  signedRange,
  subsumes,
  truncate,
  unknownScalar,
  unsignedRange,
  zeroExtend32,
} from './scalar.js'
export * from './tnum.js'
