/**
 * Commands by name, loaded when they are used. What a command gets is plain data, so that it can be handed to a worker.
 */
import type { BenchCommandOptions } from './bench.js'
import type { BuildOptions } from './build.js'
import type { DumpOptions } from './dump.js'
import type { FeaturesOptions } from './features.js'
import type { Io } from './io.js'
import type { RunCommandOptions } from './run.js'
import type { VerifyOptions } from './verify.js'

/** A command and its options. */
export type Request =
  | { readonly command: 'run'; readonly options: RunCommandOptions }
  | { readonly command: 'verify'; readonly options: VerifyOptions }
  | { readonly command: 'dump'; readonly options: DumpOptions }
  | { readonly command: 'build'; readonly options: BuildOptions }
  | { readonly command: 'features'; readonly options: FeaturesOptions }
  | { readonly command: 'bench'; readonly options: BenchCommandOptions }

/** Carries a request out; gives the exit code, throws what went wrong. */
export async function perform(request: Request, io: Io): Promise<number> {
  switch (request.command) {
    case 'run':
      return (await import('./run.js')).run(request.options, io)
    case 'verify':
      return (await import('./verify.js')).verifyCommand(request.options, io)
    case 'dump':
      return (await import('./dump.js')).dump(request.options, io)
    case 'build':
      return (await import('./build.js')).build(request.options, io)
    case 'features':
      return (await import('./features.js')).features(request.options, io)
    case 'bench':
      return (await import('./bench.js')).benchCommand(request.options, io)
  }
}
