/**
 * A machine's memory and the routines over it. In short:
 *
 *     const runtime = createRuntime({ cpus: 2, seed: 42n })
 *     const map = createMap(runtime, { type: 'hash', keySize: 4, valueSize: 24, maxEntries: 16, special: { wq: 8 } })
 *     const prog = createProg(runtime, { type: programTypes.syscall })
 *     const [main, callback] = createFuncs(runtime, prog, [0, 12])
 *
 *     const task = runtime.calls.taskNew(cpu, taskKinds.process)      // fill its registers, engine.enter, engine.resume
 *     const blocked = runtime.shims.bpf_map_lookup_elem(task)         // what an engine does at a helper call
 *     runtime.calls.taskFree(task)
 *
 *     const object = runtime.calls.wqPick(cpu)                        // a worker: 0, or an object marked running
 *     const func = runtime.load32(object + ASYNC.runningFunc)
 *     runtime.calls.taskCallback(task, object)                        // R1 to R3, prog; then engine.enter(task, func)
 *     runtime.calls.wqFinish(object)                                  // when the callback has returned
 *
 *     runtime.calls.clockAdvanceTo(readObject(runtime, runtime.calls.timerNext()).expiryNs)
 *     const timer = runtime.calls.timerPick(cpu)                      // softirq, the same way; then timerFinish
 */
export { F_LOCK } from './array.js'
export { guarded } from './common.js'
export {
  type AsyncObject,
  type AsyncState,
  armed,
  clockNs,
  maps,
  objectIn,
  objectsOf,
  queued,
  readObject,
} from './inspect.js'
export * from './layout.js'
export { isLeaf, type Leaf, type LeafName, type LeafParam, type LeafResult, leaves } from './leaf.js'
export { checkMap, cpuAt, createMap, type NewMap, type SpecialFields } from './map-create.js'
export {
  deleteElement,
  freezeMap,
  nextKey,
  readElement,
  takeElement,
  valueAddress,
  waitFor,
  writeElement,
} from './map-user.js'
export { createFuncs, createProg, deadProgs, freeProg, isReleased, type NewProg, programs } from './progs.js'
export {
  type Calls,
  createRuntime,
  type Runtime,
  type RuntimeOptions,
  restore,
  snapshot,
  type Views,
} from './runtime.js'
export { type MapHelper, type MapHelpers, specialiseMap } from './specialise.js'
export { clockIds, NEVER, timerFlags } from './timer.js'
