import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyProgram } from '../../test/support/insns.js'
import { judge, judgeInsns } from '../../test/support/judge.js'
import { assemble } from '../isa/index.js'

it('has a verdict for any instructions and never throws', () => {
  fc.assert(
    fc.property(anyProgram, fc.constantFrom(0 as const, 1 as const, 2 as const), (insns, logLevel) => {
      const report = judgeInsns([...insns, { code: 0x95, dst: 0, src: 0, off: 0, imm: 0 }], { logLevel })
      expect(['accept', 'reject', 'unsupported']).toContain(report.verdict)
      expect(report.errno !== undefined).toBe(report.verdict === 'reject')
      expect(report.diagnostics.length).toBe(report.verdict === 'accept' ? 0 : 1)
    }),
    { numRuns: 300 },
  )
})

it('says the same at every log level', () => {
  const text = 'r2 = *(u32 *)(r1 +0)\nif r2 > 7 goto pc+1\nr10 = 0\nr0 = 0\nexit'
  const [silent, path, all] = ([0, 1, 2] as const).map((logLevel) => judge(text, { logLevel }))
  expect(silent?.log).toBe('')
  expect(path?.log).toMatch(/^0: R1=ctx\(\) R10=fp0\n/)
  expect(path?.log).toMatch(/frame pointer is read only\nprocessed 3 insns/)
  expect(all?.log).toMatch(/^func#0 @0\nLive regs before insn:/)
  expect([silent, path, all].map((report) => report?.message)).toEqual(Array(3).fill('frame pointer is read only'))
})

it('takes back at level 1 what paths wrote that ended well', () => {
  const { log } = judge('r2 = *(u32 *)(r1 +0)\nif r2 > 7 goto pc+1\nr2 = 1\nr0 = 0\nexit', { logLevel: 1 })
  expect(log).toMatch(/^processed 7 insns \(limit 1000000\) max_states_per_insn 0 total_states 0 peak_states 0/)
})

it('shows source lines, and points at them', () => {
  const line = (insn: number, number: number, text: string) => ({
    insn,
    file: 'src/a.bpf.c',
    text,
    line: number,
    column: 3,
  })
  const lines = [line(0, 4, '  int x = ctx->len;'), line(1, 5, '  return bad(x);')]
  const report = judge('r6 = *(u32 *)(r1 +0)\nr6 += 1\nr2 = *(u8 *)(r6 +0)\nexit', { lines, logLevel: 1 })
  expect(report.log).toContain('; int x = ctx->len; @ a.bpf.c:4\n0: (61)')
  expect(report.message).toBe("R6 invalid mem access 'scalar'")
  expect(report.diagnostics[0]).toMatchObject({
    category: 'type',
    insn: 2,
    source: { file: 'src/a.bpf.c', line: 5, column: 3 },
    origin: [{ insn: 0 }, { insn: 1 }],
  })
})

it('tells engines what never happens', () => {
  const { facts } = judge('r2 = 1\nif r2 == 1 goto pc+1\nr2 = 5\nif r1 == 0 goto pc+0\nr0 = 0\nexit')
  expect([...(facts?.reachable ?? [])]).toEqual([1, 1, 0, 1, 1, 1])
  expect([...(facts?.alwaysJumps ?? [])]).toEqual([0, 1, 0, 0, 0, 0])
  expect([...(facts?.neverJumps ?? [])]).toEqual([0, 0, 0, 0, 0, 0])
  expect(judge('r0 = r9\nexit').facts).toBeUndefined()
})

it('names what it does not judge', () => {
  expect(judge('r0 = 0\nmay_goto pc+0\nexit')).toMatchObject({
    verdict: 'unsupported',
    errno: undefined,
    message: 'may_goto',
  })
  expect(judge('r0 = 0\nexit', { type: 'tracing' })).toMatchObject({ message: 'programs of type tracing' })
})

it('gives up where it is told to', () => {
  const loop = assemble('r1 = 0\nr1 += 1\nif r1 < 100000 goto pc-2\nr0 = 0\nexit')
  expect(judgeInsns(loop, { maxProcessed: 1000 })).toMatchObject({
    verdict: 'unsupported',
    message: 'more than 1000 instructions to process',
    stats: { processed: 1001 },
  })
})
