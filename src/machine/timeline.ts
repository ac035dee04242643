/**
 * What happened to asynchronous work, in order: each start (where, when, from what), each begin (when, on which CPU), each
 * end. Recorded while `timeline` is on; a machine that starts millions of items turns it off.
 */

/** One entry of the timeline. Times are the machine's clock in nanoseconds. */
export interface TimelineEvent {
  readonly event: 'start' | 'begin' | 'end'
  readonly kind: 'wq' | 'timer'
  readonly atNs: bigint
  /** `start`: the CPU that executed it; `begin` and `end`: the CPU that runs the callback. */
  readonly cpu: number
  /** The same number for everything that happens to one `bpf_wq` or `bpf_timer` between its init and its end. */
  readonly id: number
  readonly map: string
  readonly key: unknown
  /** The function bound when it happened. */
  readonly callback: string
  /** `start`: the program or callback that called it. */
  readonly from?: string
  /** `start`: it was queued already (1.3), or the timer was armed already and got a new time (4.3). */
  readonly again?: true
  /** `start` of a timer: when it will expire. */
  readonly expiryNs?: bigint
  /** `begin`: when it was started. */
  readonly startNs?: bigint
}

/** A bounded list of events. */
export interface Timeline {
  readonly events: readonly TimelineEvent[]
  /** Events that no longer fitted. */
  readonly dropped: number
  add(event: TimelineEvent): void
}

/** An empty timeline that keeps the first `limit` events. */
export function createTimeline(limit: number): Timeline {
  const events: TimelineEvent[] = []
  let dropped = 0
  return {
    events,
    get dropped() {
      return dropped
    },
    add(event) {
      if (events.length < limit) events.push(event)
      else dropped += 1
    },
  }
}
