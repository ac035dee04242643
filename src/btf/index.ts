export { type BtfBuilder, btfBuilder, type EncodeBtfOptions, encodeBtf, type NewBtfType } from './encode.js'
export { BTF_MAGIC, isModifier, type ParseBtfOptions, parseBtf } from './parse.js'
export type * from './types.js'
