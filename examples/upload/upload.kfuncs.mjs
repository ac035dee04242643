// The kernel functions that upload.bpf.c calls. Each export is one; its flags say what the verifier must know, and the
// names of parameters say what belongs together (`data__sz` is the size of `data`).
import { setTimeout as sleep } from 'node:timers/promises'
import { kfunc } from 'workerbee'

const EIO = 5

/** Pretends to send the bytes somewhere slow. The backend has no room for jobs of 300 and more. */
export const backend_store = kfunc({ sleepable: true, parameters: ['id', 'data', 'data__sz'] }, async (id, data) => {
  await sleep(1)
  if (id >= 300) return -EIO
  const name = new TextDecoder().decode(data.subarray(0, data.indexOf(0)))
  return id * 100 + name.length
})

/** An operator would hear of it. */
export const backend_log = kfunc({ parameters: ['id', 'result'] }, (_id, _result) => {})
