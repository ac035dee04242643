/** Reports as text for people and as JSON for programs. Colours are the business of the command line. */
import { errnos } from '../uapi/index.js'
import type { Diagnostic, ProgramReport, SourceSpan, VerificationReport } from './diagnostic.js'

const place = (source: SourceSpan): string => `${source.file}:${source.line}:${source.column}`

function renderDiagnostic(diagnostic: Diagnostic): string[] {
  const { message, insn, text, source, origin, hint } = diagnostic
  const lines = [`  ${message}`]
  if (source) lines.push(`    at ${place(source)}`, `       ${source.text.trim()}`)
  if (insn !== undefined && text) lines.push(`    instruction ${insn}: ${text}`)
  if (origin.length) lines.push('    how the value came to be:')
  for (const step of origin) {
    const where = step.source ? `  ; ${place(step.source)}` : ''
    lines.push(`      ${step.insn}: ${step.text}${where}`)
  }
  if (hint) lines.push(`    hint: ${hint}`)
  return lines
}

/** One program as text: a line with the verdict, then each problem with its place. */
export function renderProgram(report: ProgramReport): string {
  const errno = report.errno ? ` (${report.errno})` : ''
  const head = `${report.program}: ${report.verdict}${errno}, ${report.stats.processed} instructions processed`
  return `${[head, ...report.diagnostics.flatMap(renderDiagnostic)].join('\n')}\n`
}

/** A whole report as text. */
export function renderText(report: VerificationReport): string {
  return report.programs.map(renderProgram).join('')
}

/** One program as the command line's `--json` prints it; `timeUs` is measured by whoever asked. */
export function programJson(report: ProgramReport, timeUs = 0): Record<string, unknown> {
  const { program, section, type, verdict, errno, message, stats } = report
  return {
    program,
    section,
    type,
    verdict,
    errno: errno ? errnos[errno] : 0,
    message,
    processed: stats.processed,
    timeUs,
  }
}
