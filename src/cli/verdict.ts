/** A verdict as text: what, why, where in the source, how it came to that, and what to do. */
import type { ProgramReport } from '../report/index.js'
import { errnos } from '../uapi/index.js'
import type { Io } from './io.js'

/** One program's verdict, line by line. */
export function describeVerdict(report: ProgramReport, io: Io): string[] {
  const { bold, dim, green, red, yellow, cyan } = io.colors
  const words = {
    accept: green('accepted'),
    reject: red(`refused with ${report.errno ?? 'an error'}${report.errno ? ` (${errnos[report.errno]})` : ''}`),
    unsupported: yellow('not judged'),
  }
  const processed = report.verdict === 'accept' ? dim(`, ${report.stats.processed} instructions processed`) : ''
  const lines = [`${bold(report.program)} ${dim(`(${report.type})`)} ${words[report.verdict]}${processed}`]
  if (report.verdict !== 'accept' && report.diagnostics.length === 0) lines.push(`  ${report.message}`)
  for (const { message, source, insn, text, origin, hint } of report.diagnostics) {
    lines.push(`  ${message}`)
    if (source) lines.push(`  ${cyan(`${source.file}:${source.line}:${source.column}`)}  ${source.text.trim()}`)
    if (insn !== undefined && text) lines.push(dim(`  instruction ${insn}: ${text}`))
    for (const step of origin) {
      const where = step.source ? `  ${step.source.file}:${step.source.line}` : ''
      lines.push(dim(`    ${step.insn}: ${step.text}${where}`))
    }
    if (hint) lines.push(`  ${bold('hint:')} ${hint}`)
  }
  return lines
}
