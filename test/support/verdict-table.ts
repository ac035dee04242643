/** Compares our verdicts with recorded ones and counts what came of it. */
import { withoutBtfIds } from '../../src/linux/index.js'
import type { ProgramReport } from '../../src/report/index.js'
import { errnos } from '../../src/uapi/index.js'
import type { RecordedVerdicts } from './record-verdicts.js'

/** How our verdict on one program compares with Linux's. */
export type Result = 'agree' | 'wrong accept' | 'wrong reject' | 'unsupported' | 'message differs'

/** One program, compared. */
export interface Outcome {
  readonly file: string
  readonly program: string
  readonly result: Result
  readonly ours: string
  readonly theirs: string
  /** As many instructions simulated as Linux did; `undefined` where Linux gave up before. */
  readonly sameWork: boolean | undefined
}

/** `22 R1 type=ctx expected=fp`; the errno belongs to the message: people act on both. */
function words(errno: number, message: string): string {
  return errno === 0 ? 'accept' : `${errno} ${message}`
}

/** Compares the programs of one file. Programs that were never asked (their map was refused) are left out. */
export function compareVerdicts(
  file: string,
  reports: readonly ProgramReport[],
  recorded: RecordedVerdicts,
): Outcome[] {
  return Object.entries(recorded.programs).flatMap(([program, verdict]): Outcome[] => {
    if (verdict.stage) return []
    const report = reports.find((each) => each.program === program)
    const theirs = words(verdict.errno, verdict.message)
    if (!report) return [{ file, program, result: 'unsupported', ours: 'no report', theirs, sameWork: undefined }]
    const errno = report.errno ? errnos[report.errno] : 0
    const ours = report.verdict === 'unsupported' ? report.message : words(errno, withoutBtfIds(report.message))
    let result: Result = ours === theirs ? 'agree' : 'message differs'
    if (report.verdict === 'unsupported') result = 'unsupported'
    else if (report.verdict !== verdict.verdict) result = report.verdict === 'accept' ? 'wrong accept' : 'wrong reject'
    const sameWork = verdict.processed === undefined ? undefined : report.stats.processed === verdict.processed
    return [{ file, program, result, ours, theirs, sameWork }]
  })
}

/** Share of a result among all outcomes, 0 to 1. */
export function share(outcomes: readonly Outcome[], result: Result): number {
  return outcomes.filter((outcome) => outcome.result === result).length / Math.max(1, outcomes.length)
}

/** What does not agree, line by line, and the sums. */
export function table(outcomes: readonly Outcome[]): string {
  const results: readonly Result[] = ['agree', 'wrong accept', 'wrong reject', 'unsupported', 'message differs']
  const lines = outcomes
    .filter(({ result }) => result !== 'agree')
    .map(
      ({ file, program, result, ours, theirs }) =>
        `${result}: ${file}/${program}\n    ours  ${ours}\n    Linux ${theirs}`,
    )
  const sums = results.map((result) => {
    const count = outcomes.filter((outcome) => outcome.result === result).length
    return `${result.padEnd(16)} ${String(count).padStart(5)} ${(100 * share(outcomes, result)).toFixed(1).padStart(6)} %`
  })
  const known = outcomes.filter(({ sameWork }) => sameWork !== undefined)
  const same = known.filter(({ sameWork }) => sameWork).length
  return [...lines, '', ...sums, `as many instructions simulated: ${same} of ${known.length}`].join('\n')
}
