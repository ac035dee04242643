export { type Attribute, attribute, bpf, bpfRaw } from './bpf.js'
export { holdCpu, onCpu } from './cpu.js'
export { type Descriptors, descriptors } from './descriptors.js'
export { type KernelSymbols, kernelSymbols, kernelVersion, possibleCpus, scanSymbols, vmlinuxBtf } from './kernel.js'
export { Linux } from './linux.js'
export { type Answer, askKernel, type KernelObject, kernelUnavailable, openObject, type Verdict } from './load.js'
export { type LogSummary, summarise, withoutBtfIds } from './log.js'
export { createMap, freezeMap, type MapCreation, rawMap, rawSection } from './map.js'
export { loadNative, type Native } from './native.js'
export {
  type LoadAnswer,
  loadBtf,
  type ProgramLoad,
  type TestRun,
  type TestRunAnswer,
  testRun,
  tryLoadProgram,
} from './program.js'
