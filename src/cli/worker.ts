/** The worker's side of `isolate.ts`: carries one request out and posts what it writes, then its exit code. */
import { parentPort, workerData } from 'node:worker_threads'
import { perform, type Request } from './commands.js'
import { report } from './exit.js'
import { createIo } from './io.js'
import type { Posted } from './isolate.js'

const { request, colored } = workerData as { request: Request; colored: boolean }
const post = (message: Posted): void => parentPort?.postMessage(message)
const io = createIo(
  (out) => post({ out }),
  (err) => post({ err }),
  colored,
)

perform(request, io)
  .catch((error: unknown) => report(error, io))
  .then((exit) => post({ exit }))
