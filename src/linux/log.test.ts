import { expect, it } from 'vitest'
import { summarise, withoutBtfIds } from './log.js'

const log = `0: R1=ctx() R10=fp0
; return bpf_wq_start(ctx, 0); @ a.bpf.c:7
0: (b7) r2 = 0                        ; R2=0
1: (85) call bpf_wq_start#66118
arg#0 doesn't point to a map value
verification time 153 usec
stack depth 0
processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
`

it('finds the reason before the statistics, and how far the verifier came', () => {
  expect(summarise(log, false)).toEqual({ message: "arg#0 doesn't point to a map value", processed: 2 })
  expect(summarise(log, true)).toEqual({ message: '', processed: 2 })
  expect(summarise('invalid func unknown\n', false)).toEqual({ message: 'invalid func unknown', processed: undefined })
  expect(summarise('', false)).toEqual({ message: '', processed: undefined })
})

it('prefers the sentence to the two states after an endless loop', () => {
  const loop =
    'infinite loop detected at insn 1\ncur state: R1=ctx()\nold state: R1=ctx()\nprocessed 2 insns (limit 1000000)\n'
  expect(summarise(loop, false).message).toBe('infinite loop detected at insn 1')
})

it('drops BTF ids, which differ from kernel to kernel, and keeps helper numbers', () => {
  expect(withoutBtfIds('kfunc bpf_wq_init#66103 failed, sleepable helper bpf_copy_from_user#148')).toBe(
    'kfunc bpf_wq_init failed, sleepable helper bpf_copy_from_user#148',
  )
})
