/** How the figures came to be, in the words of `docs/bench.md`. */
import type { Section } from './results.js'

/** One paragraph on all of them. */
export const method =
  'Both sides run the same objects (`bench/programs`, clang 19) in one process, in turns: batches of about 2.5 ms, of which ' +
  'the fastest counts. Every result is compared before anything is timed. A batch is one call: `run({ repeat })` on the ' +
  'machine, timed from outside, and BPF_PROG_TEST_RUN with a repeat count in the kernel, which times its own loop in whole ' +
  'nanoseconds. What a run of nothing takes is subtracted on both sides. The machine has been warmed up until its code got ' +
  'no faster; programs are not verified there. Less is faster; a ratio is ours over the kernel’s.'

/** What to know about one section. */
export const notes: Readonly<Record<Section, string>> = {
  programs:
    'Computing without helpers, nanoseconds a run. `calls` is a mean of its own: with mitigations, the kernel pays for every ' +
    'call and return between functions, which the compiler inlines.',
  maps:
    'Nanoseconds an operation, maps in cache. Not quite the same service: the kernel takes bucket locks and replaces elements ' +
    'for readers on other CPUs, a machine has one thread and writes in place.',
  workqueues:
    'Nanoseconds an item, from the start to the end of its callback. Not quite the same service: the kernel runs callbacks in a ' +
    'thread of its own and its figure is the difference of two of its clock readings; a machine runs them on the same thread ' +
    'when it is asked to (`runUntilIdle`), and its figure includes those two calls from JavaScript.',
  loading: 'Milliseconds, verification included.',
  'tier-up':
    'V8 runs new WebAssembly in quickly made code first and replaces it between two calls of a function. Medians of nine fresh ' +
    'processes, in batches of 30 us; `optimiseNow` compiles with the optimising compiler at once.',
}
