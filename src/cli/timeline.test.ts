import { expect, it } from 'vitest'
import type { PendingWork, TimelineEvent } from '../machine/index.js'
import { showWork, workOf } from './timeline.js'

const item = { kind: 'wq', cpu: 0, id: 1, map: 'beats', key: 0, callback: 'beat' } as const
const start = (atNs: bigint, more: Partial<TimelineEvent> = {}): TimelineEvent => ({
  ...item,
  event: 'start',
  atNs,
  from: 'main',
  ...more,
})
const begin = (atNs: bigint, startNs: bigint, more: Partial<TimelineEvent> = {}): TimelineEvent => ({
  ...item,
  event: 'begin',
  atNs,
  startNs,
  ...more,
})
const pending: PendingWork = { kind: 'wq', map: 'beats', key: 0, callback: 'beat', cpu: 0 }

it('pairs each callback with the start that it answers, and counts the starts that changed nothing (1.3)', () => {
  const work = workOf(
    [start(5n), start(6n, { again: true }), begin(9n, 5n), start(12n, { cpu: 1, from: 'beat' }), begin(15n, 12n)],
    [],
  )
  expect(work).toMatchObject([
    { startNs: 5n, beginNs: 9n, from: 'main', again: 1, fate: 'ran' },
    { startNs: 12n, beginNs: 15n, from: 'beat', startCpu: 1, cpu: 0, again: 0, fate: 'ran' },
  ])
  expect(showWork(work, 0n)[1]).toContain('by beat on cpu 1')
})

it('tells work that still waits from work that was cancelled', () => {
  expect(workOf([start(5n)], [pending])).toMatchObject([{ fate: 'waiting', beginNs: undefined }])
  expect(workOf([start(5n)], [])).toMatchObject([{ fate: 'cancelled' }])
  expect(workOf([start(5n)], [{ ...pending, key: 1 }])).toMatchObject([{ fate: 'cancelled' }])
  expect(showWork(workOf([start(5n)], [pending]), 0n)).toEqual([
    'waiting  cpu 0  wq  beat  beats[0]  started at 0.005 us  by main',
  ])
})

it('stays short however much happened', () => {
  const events = Array.from({ length: 100 }, (_, i) => [
    start(BigInt(i), { id: i }),
    begin(BigInt(i + 1), BigInt(i), { id: i }),
  ]).flat()
  const lines = showWork(workOf(events, []), 0n)
  expect(lines).toHaveLength(41)
  expect(lines.at(-1)).toBe('... and 60 more')
})
