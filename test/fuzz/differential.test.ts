/**
 * Damaged programs, asked of our verifier and of the running kernel. Nothing may be accepted that Linux refuses; the other
 * differences are printed, with names to try again by: WORKERBEE_FUZZ_ONLY=bounds/index_below_48#3 prints both logs.
 */
import { expect, it } from 'vitest'
import { askKernel, descriptors, kernelUnavailable, kernelVersion, openObject } from '../../src/linux/index.js'
import { errnos } from '../../src/uapi/index.js'
import { verify } from '../../src/verifier/index.js'
import { readCase } from '../support/record-verdicts.js'
import { seed } from './harmless.js'
import { damage } from './programs.js'
import { randomOf } from './trial.js'

/** Files without kfuncs, timers and long loops: nothing in them can hurt a kernel, whatever becomes of it. */
const files = [
  ...['arithmetic', 'bounds', 'contexts', 'control', 'globals', 'helpers'],
  ...['locks', 'packets', 'pointers', 'returns', 'stack', 'subprograms'],
]
const perProgram = Number(process.env.WORKERBEE_FUZZ_PER_PROGRAM ?? 5)
const only = process.env.WORKERBEE_FUZZ_ONLY
const E2BIG = 7

const unavailable = kernelUnavailable()
const skip = unavailable?.message ?? (/^6\.18\./.test(kernelVersion()) ? undefined : `this is Linux ${kernelVersion()}`)
if (skip) console.warn(`not run: damaged programs asked of the kernel, because ${skip}`)

it.skipIf(skip)('accepts no damaged program that Linux refuses', { timeout: 600_000 }, () => {
  const tally = { same: 0, unsupported: 0, 'wrong accept': 0, 'wrong reject': 0, errno: 0, message: 0 }
  const differences = new Map<string, { count: number; first: string }>()
  for (const file of files) {
    const spec = readCase(file)
    const fds = descriptors()
    try {
      const object = openObject(spec, fds)
      for (const program of Object.values(spec.programs)) {
        for (let nth = 0; nth < perProgram; nth++) {
          const name = `${file}/${program.name}#${nth}`
          if (only && only !== name) continue
          const damaged = damage(program, randomOf(seed, `${file}/${program.name}`, nth))
          // Without a log first: that of a loop of a million steps has 67 MB.
          let linux = askKernel(object, damaged, fds, 0)
          if (linux.errno !== E2BIG && (linux.verdict === 'reject' || only)) linux = askKernel(object, damaged, fds, 1)
          const options = { programs: [program.name], logLevel: only ? 1 : 0 } as const
          const [ours] = verify({ ...spec, programs: { [program.name]: damaged } }, options).programs
          if (!ours) throw new Error(`no report for ${name}`)
          if (only)
            console.log(`linux: ${linux.verdict}\n${linux.log}\nours: ${ours.verdict} ${ours.message}\n${ours.log}`)
          const kind =
            ours.verdict === 'unsupported'
              ? 'unsupported'
              : ours.verdict !== linux.verdict
                ? (`wrong ${ours.verdict}` as const)
                : ours.errno !== undefined && errnos[ours.errno] !== linux.errno
                  ? 'errno'
                  : linux.errno !== E2BIG && ours.message !== linux.message
                    ? 'message'
                    : 'same'
          tally[kind]++
          if (kind === 'same') continue
          const said = `${ours.errno ?? ''} ${ours.message || 'accept'}; linux: ${linux.errno} ${linux.message || linux.verdict}`
          const key = `${kind}: ${said.replace(/\d+/g, 'N')}`
          const known = differences.get(key)
          differences.set(key, { count: (known?.count ?? 0) + 1, first: known?.first ?? name })
        }
      }
    } finally {
      fds.closeAll()
    }
  }
  const rare = [...differences].sort(([a], [b]) => (a < b ? 1 : -1))
  const lines = rare.map(([key, { count, first }]) => `  ${count} × ${key} (${first})`)
  console.log(`differential: seed ${seed}, ${JSON.stringify(tally)}\n${lines.join('\n')}`)
  expect(tally['wrong accept']).toBe(0)
})
