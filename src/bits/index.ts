export { ByteReader, ByteWriter, cString } from './bytes.js'
export { BpfError, type ErrorDetail, ParseError } from './errors.js'
