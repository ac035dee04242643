/** The error of a host that refuses to load a program. */
import { BpfError } from '../bits/index.js'
import type { VerificationReport } from './diagnostic.js'
import { renderText } from './render.js'

/**
 * A program was refused (`verifier-reject`) or could not be judged (`verifier-unsupported`). `message` is one line;
 * `report` has everything, `detail()` renders it.
 */
export class VerifierError extends BpfError {
  override name = 'VerifierError'
  readonly report: VerificationReport

  constructor(report: VerificationReport) {
    const bad = report.programs.find((each) => each.verdict === report.verdict && each.verdict !== 'accept')
    const sentence = bad?.message || 'the program was not accepted'
    const place = bad ? `program ${bad.program}` : ''
    super(report.verdict === 'unsupported' ? 'verifier-unsupported' : 'verifier-reject', sentence, { place })
    this.report = report
  }

  /** The report as text: places in the source, how values came to be, hints. */
  detail(): string {
    return renderText(this.report)
  }
}
