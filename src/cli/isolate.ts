/**
 * Carries a request out in a worker that can be ended: a program may loop for longer than anybody waits, and JavaScript
 * cannot interrupt itself.
 */
import { Worker } from 'node:worker_threads'
import type { Request } from './commands.js'
import { exitCodes, report } from './exit.js'
import type { Io } from './io.js'

/** What a worker tells. */
export interface Posted {
  readonly out?: string
  readonly err?: string
  readonly exit?: number
}

/** Performs a request within `timeoutMs`; gives the exit code, 1 where time ran out. */
export function performIsolated(request: Request, io: Io, timeoutMs: number): Promise<number> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: { request, colored: io.colors.isColorSupported },
      // Descriptors of bpf(2) come from outside Node, which would warn about closing them.
      trackUnmanagedFds: false,
    })
    const finish = (code: number): void => {
      clearTimeout(timer)
      resolve(code)
      worker.terminate()
    }
    const timer = setTimeout(() => {
      io.err(`${io.colors.red('workerbee:')} it did not end within ${timeoutMs / 1000} s (--timeout) [timeout]`)
      finish(exitCodes.no)
    }, timeoutMs)
    worker.on('message', ({ out, err, exit }: Posted) => {
      if (out !== undefined) io.out(out.replace(/\n$/, ''))
      if (err !== undefined) io.err(err.replace(/\n$/, ''))
      if (exit !== undefined) finish(exit)
    })
    worker.on('error', (error) => finish(report(error, io)))
    worker.on('exit', () => finish(exitCodes.bug))
  })
}
