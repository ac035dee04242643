export { getProfile, type KernelVersion, kernelVersions, withKfuncs } from './profile.js'
export type * from './types.js'
