/**
 * The clock of a machine: CLOCK_MONOTONIC in nanoseconds, virtual. It stands still unless it is read (each read advances
 * it by 1, so that two reads never give the same time) or moved by the machine. Defined by us: Linux's clock runs.
 */
import { routine } from '../wasm/index.js'
import { machine } from './common.js'
import { MACHINE } from './layout.js'

/** `bpf_ktime_get_ns`: advances the clock by 1 and gives the new time. */
export const clockRead = routine('clock_read', [], 'i64', (_f) => machine.rmw64('add', MACHINE.clock, 1).add(1))

/** `bpf_ktime_get_boot_ns`: the same, plus the time spent suspended. */
export const clockReadBoot = routine('clock_read_boot', [], 'i64', (_f) =>
  clockRead().add(machine.load64(MACHINE.bootOffset)),
)

/** Moves the clock forward to a time; an earlier time changes nothing. */
export const clockAdvanceTo = routine('clock_advance_to', ['i64'], undefined, (f, time) => {
  f.if(time.gtU(machine.shared64(MACHINE.clock)), () => f.sharedStore64(machine, MACHINE.clock, time))
})
