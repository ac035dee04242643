/**
 * Reading the verifier's log: people and suites want one sentence and one number out of it, not 3,000 lines.
 */

/** What a log ends with. */
export interface LogSummary {
  /** The last line before the statistics; empty where the program was accepted or nothing was said. */
  readonly message: string
  /** Instructions simulated; `undefined` where the kernel gave up before. */
  readonly processed: number | undefined
}

/** The largest helper number so far is 211; larger `#numbers` are BTF ids, which differ from kernel to kernel. */
const largestHelper = 1000

/** A message without what differs between two builds of one kernel: `bpf_wq_init#66103` becomes `bpf_wq_init`. */
export function withoutBtfIds(message: string): string {
  return message.replace(/#(\d+)/g, (whole, digits: string) => (Number(digits) > largestHelper ? '' : whole))
}

/** Message and count of a log of level 1 or 2. */
export function summarise(log: string, accepted: boolean): LogSummary {
  const lines = log.split('\n').map((line) => line.trimEnd())
  let message = ''
  let processed: number | undefined
  for (const line of lines) {
    // What follows the statistics is statistics too.
    const count = /^processed (\d+) insns/.exec(line)?.[1]
    if (count !== undefined) {
      processed = Number(count)
      break
    }
    // After "infinite loop detected" the two states that are equal are printed: not what people look for.
    if (line !== '' && !/^(verification time|stack depth|cur state:|old state:) ?/.test(line)) message = line
  }
  return { message: accepted ? '' : withoutBtfIds(message), processed }
}
