/**
 * Our verifier against what Linux said, program by program; README.md says how to add one. A wrong accept or a wrong reject
 * fails the suite; an unsupported rule or a differing message is counted.
 */
import { expect, it } from 'vitest'
import { verify } from '../../src/verifier/index.js'
import { isRecording, recording, sources } from '../support/paths.js'
import { askAll, readCase, readVerdicts, recordVerdicts } from '../support/record-verdicts.js'
import { noReference, skipped } from '../support/reference.js'
import { compareVerdicts, type Outcome, share, table } from '../support/verdict-table.js'

const names = sources('test/verifier')

if (isRecording) {
  for (const name of names.filter(recording)) {
    it(`records ${name}`, () => {
      const reason = noReference()
      if (reason) throw new Error(`cannot record: ${reason}`)
      const { programs } = recordVerdicts(name)
      const lines = Object.entries(programs).map(
        ([program, { verdict, errno, message }]) => `  ${verdict} ${program}${errno ? ` (${errno}) ${message}` : ''}`,
      )
      console.log(`${name}:\n${lines.join('\n')}`)
    })
  }
} else {
  const outcomes: Outcome[] = []

  it.each(names)('%s: nothing is wrongly accepted or refused', (name) => {
    const spec = readCase(name)
    const { programs } = verify(spec, { programs: Object.keys(spec.programs) })
    const compared = compareVerdicts(name, programs, readVerdicts(name))
    outcomes.push(...compared)
    expect(compared.filter(({ result }) => result.startsWith('wrong'))).toEqual([])
  })

  it('knows at least 95 % of the rules, and says what Linux says about at least 95 % of the programs', () => {
    console.log(table(outcomes))
    expect(outcomes.length).toBeGreaterThan(0)
    expect(share(outcomes, 'unsupported')).toBeLessThanOrEqual(0.05)
    expect(share(outcomes, 'message differs')).toBeLessThanOrEqual(0.05)
  })

  const skip = skipped(`asking the kernel again about ${names.length} files`, noReference())
  it.runIf(!skip).each(names)('%s: the running kernel still says what is recorded', (name) => {
    expect(askAll(readCase(name)).programs).toEqual(readVerdicts(name).programs)
  })
}
