import { expect, it } from 'vitest'
import type { ProgramReport, VerificationReport } from './diagnostic.js'
import { programJson, renderText } from './render.js'
import { VerifierError } from './verifier-error.js'

const source = { file: 'a.bpf.c', line: 12, column: 5, text: '    return *v;' }
const program: ProgramReport = {
  program: 'beat',
  section: 'tc',
  type: 'sched_cls',
  verdict: 'reject',
  errno: 'EACCES',
  message: "R0 invalid mem access 'map_value_or_null'",
  log: '',
  diagnostics: [
    {
      category: 'null',
      message: "R0 invalid mem access 'map_value_or_null'",
      insn: 7,
      text: '(79) r0 = *(u64 *)(r0 +0)',
      source,
      origin: [{ insn: 6, text: '(85) call bpf_map_lookup_elem#1', source }],
      hint: 'compare the pointer with NULL before you use it',
    },
  ],
  stats: { processed: 8, maxStatesPerInsn: 0, totalStates: 0, peakStates: 0 },
}
const report: VerificationReport = { kernel: '6.18', verdict: 'reject', programs: [program] }

it('tells a person what, where, why and what to do', () => {
  expect(renderText(report).split('\n')).toEqual([
    'beat: reject (EACCES), 8 instructions processed',
    "  R0 invalid mem access 'map_value_or_null'",
    '    at a.bpf.c:12:5',
    '       return *v;',
    '    instruction 7: (79) r0 = *(u64 *)(r0 +0)',
    '    how the value came to be:',
    '      6: (85) call bpf_map_lookup_elem#1  ; a.bpf.c:12:5',
    '    hint: compare the pointer with NULL before you use it',
    '',
  ])
})

it('tells a program the same in one object', () => {
  expect(programJson(program, 40)).toEqual({
    program: 'beat',
    section: 'tc',
    type: 'sched_cls',
    verdict: 'reject',
    errno: 13,
    message: "R0 invalid mem access 'map_value_or_null'",
    processed: 8,
    timeUs: 40,
  })
})

it('is one line as an error, with everything on demand', () => {
  const error = new VerifierError(report)
  expect(error.code).toBe('verifier-reject')
  expect(error.message).toBe("program beat: R0 invalid mem access 'map_value_or_null'")
  expect(error.detail()).toBe(renderText(report))
  expect(new VerifierError({ ...report, verdict: 'unsupported', programs: [] }).code).toBe('verifier-unsupported')
})
