/**
 * The machine's timeline as a person reads it: one row for each callback that ran - when it began, where, what it is, and
 * who started it when - and one for each start that came to nothing.
 */
import type { PendingWork, TimelineEvent } from '../machine/index.js'
import { showElement, showValue, table, timeScale } from './show.js'

/** One start and what became of it. */
export interface Work {
  readonly kind: 'wq' | 'timer'
  readonly map: string
  readonly key: unknown
  readonly callback: string
  readonly cpu: number
  readonly startNs: bigint
  /** When the callback began; `undefined` where it has not. */
  readonly beginNs: bigint | undefined
  /** Who started it, and on which CPU. */
  readonly from: string
  readonly startCpu: number
  /** Further starts that changed nothing or only moved a timer. */
  readonly again: number
  readonly fate: 'ran' | 'waiting' | 'cancelled'
}

interface Open {
  start: TimelineEvent
  again: number
}

/** Pairs begins with their starts, in the order in which the callbacks began; what never began comes last. */
export function workOf(events: readonly TimelineEvent[], pending: readonly PendingWork[]): Work[] {
  const open = new Map<number, Open>()
  const done: Work[] = []
  const abandoned: Work[] = []
  for (const event of events) {
    const before = open.get(event.id)
    if (event.event === 'start') {
      if (!before) open.set(event.id, { start: event, again: 0 })
      else before.again += 1
    } else if (event.event === 'begin') {
      open.delete(event.id)
      done.push(row(event, before, event.atNs, 'ran'))
    }
  }
  for (const left of open.values()) {
    const { kind, map, key } = left.start
    const waits = pending.some(
      (work) => work.kind === kind && work.map === map && showValue(work.key) === showValue(key),
    )
    abandoned.push(row(left.start, left, undefined, waits ? 'waiting' : 'cancelled'))
  }
  return [...done, ...abandoned]
}

function row(event: TimelineEvent, opened: Open | undefined, beginNs: bigint | undefined, fate: Work['fate']): Work {
  const { kind, map, key, callback, cpu, atNs, startNs } = event
  return {
    kind,
    map,
    key,
    callback,
    cpu,
    startNs: startNs ?? opened?.start.atNs ?? atNs,
    beginNs,
    from: opened?.start.from ?? '',
    startCpu: opened?.start.cpu ?? cpu,
    again: opened?.again ?? 0,
    fate,
  }
}

const MOST_ROWS = 40

/** Rows for a terminal, times since `zeroNs`. */
export function showWork(work: readonly Work[], zeroNs: bigint): string[] {
  let latest = zeroNs
  for (const { startNs, beginNs = startNs } of work) if (beginNs > latest) latest = beginNs
  const scale = timeScale(latest - zeroNs)
  const time = (ns: bigint): string => scale(ns - zeroNs)
  const rows = work
    .slice(0, MOST_ROWS)
    .map((item) => [
      item.beginNs === undefined ? item.fate : time(item.beginNs),
      `cpu ${item.cpu}`,
      item.kind,
      item.callback || '?',
      showElement(item.map, item.key),
      `started at ${time(item.startNs)}`,
      item.from ? `by ${item.from}${item.startCpu === item.cpu ? '' : ` on cpu ${item.startCpu}`}` : '',
      item.again ? `and ${item.again} more` : '',
    ])
  const lines = table(rows, [0])
  if (work.length > MOST_ROWS) lines.push(`... and ${work.length - MOST_ROWS} more`)
  return lines
}
