export { codecFor, keyCodec, mapValueCodec, sectionVariables } from './codecs.js'
export {
  bytesToFields,
  type ContextField,
  type ContextFields,
  type ContextStruct,
  contextStruct,
  recordContext,
  skbContext,
  skbFields,
  xdpContext,
  xdpFields,
} from './contexts.js'
export { type GlobalSection, type GlobalVariable, globalsOf } from './globals.js'
export type {
  BpfMap,
  Collection,
  Host,
  LoadOptions,
  Program,
  RunOptions,
  RunResult,
  SettleOptions,
} from './host.js'
export type { Codec, RawMap, RawSection } from './raw-map.js'
export { bytesCodec, typedMap } from './typed-map.js'
