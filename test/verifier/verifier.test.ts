/**
 * Our verifier against what Linux said, program by program; README.md says how to add one.
 */
import { expect, it } from 'vitest'
import { kernelUnavailable, kernelVersion } from '../../src/linux/index.js'
import { isRecording, recording, sources } from '../support/paths.js'
import { askAll, readCase, readVerdicts, recordVerdicts } from '../support/record-verdicts.js'

const names = sources('test/verifier')
const noKernel = kernelUnavailable()?.message

if (isRecording) {
  for (const name of names.filter(recording)) {
    it(`records ${name}`, () => {
      if (noKernel) throw new Error(`cannot record: ${noKernel}`)
      const { programs } = recordVerdicts(name)
      const lines = Object.entries(programs).map(
        ([program, { verdict, errno, message }]) => `  ${verdict} ${program}${errno ? ` (${errno}) ${message}` : ''}`,
      )
      console.log(`${name}:\n${lines.join('\n')}`)
    })
  }
} else {
  const recorded = new Map(names.map((name) => [name, readVerdicts(name)]))
  const foreign = [...recorded.values()].find(({ kernel }) => kernel !== kernelVersion())
  const skip = noKernel ?? (foreign ? `recorded on ${foreign.kernel}, running ${kernelVersion()}` : undefined)
  if (skip) console.warn(`not run: asking the kernel again about ${names.length} files, because ${skip}`)
  it.runIf(!skip).each(names)('%s: the running kernel still says what is recorded', (name) => {
    expect(askAll(readCase(name))).toEqual(recorded.get(name))
  })
}
