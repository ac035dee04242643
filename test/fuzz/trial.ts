/**
 * One run of the fuzzer over many damaged objects, with what bad input must never do turned into failures: throwing
 * anything but `BpfError`, hanging, or taking memory without bound.
 */
import { Script } from 'node:vm'
import { BpfError } from '../../src/bits/index.js'
import { interesting, mutate, type Random, random } from './mutate.js'

/** An undamaged object. */
export interface Subject {
  readonly name: string
  readonly bytes: Uint8Array
}

/** What a run found. */
export interface Trial {
  /** Inputs that were tried, of which so many were read without complaint. */
  inputs: number
  read: number
  /** How often each error code came. */
  readonly codes: Map<string, number>
  /** Longest time of one input in milliseconds. */
  slowestMs: number
  slowest: string
  /** Most memory that the process held, in MiB. */
  peakMiB: number
  /** What must not be: one line an input, with how to make it again. */
  readonly failures: string[]
}

/** No input of a few kB may take longer, even on a busy machine. */
const deadlineMs = 20_000
const batchSize = 50

/**
 * Feeds `count` damaged objects, spread evenly over the subjects, to `act`. Which input is which follows from `seed` alone:
 * input i of a subject is made from the seed, the subject's name and i.
 */
export function fuzz(
  subjects: readonly Subject[],
  count: number,
  seed: number,
  act: (bytes: Uint8Array) => void,
): Trial {
  const trial: Trial = { inputs: 0, read: 0, codes: new Map(), slowestMs: 0, slowest: '', peakMiB: 0, failures: [] }
  subjects.forEach(({ name, bytes }, nth) => {
    const ranges = interesting(bytes)
    const share = Math.floor((count * (nth + 1)) / subjects.length) - Math.floor((count * nth) / subjects.length)
    for (let from = 0; from < share && trial.failures.length < 20; from += batchSize) {
      const until = Math.min(from + batchSize, share)
      let index = from
      const batch = (): void => {
        for (; index < until; index++) {
          one(trial, `${name} #${index}`, mutate(bytes, ranges, randomOf(seed, name, index)), act)
        }
      }
      while (index < until) {
        const before = index
        if (!withinDeadline(batch)) {
          trial.failures.push(`${name} #${index} seed ${seed}: more than ${deadlineMs} ms`)
          index = Math.max(index, before) + 1
        }
      }
      trial.peakMiB = Math.max(trial.peakMiB, process.memoryUsage.rss() / 2 ** 20)
    }
  })
  return trial
}

/** The generator of one input. */
export function randomOf(seed: number, name: string, index: number): Random {
  let hash = seed >>> 0
  for (const char of name) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0
  return random(hash ^ Math.imul(index + 1, 0x9e3779b1))
}

function one(trial: Trial, name: string, bytes: Uint8Array, act: (bytes: Uint8Array) => void): void {
  const start = performance.now()
  trial.inputs++
  try {
    act(bytes)
    trial.read++
  } catch (error) {
    if (error instanceof BpfError) trial.codes.set(error.code, (trial.codes.get(error.code) ?? 0) + 1)
    else trial.failures.push(`${name}: ${story(error)}`)
  }
  const took = performance.now() - start
  if (took > trial.slowestMs) {
    trial.slowestMs = took
    trial.slowest = name
  }
}

function story(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause ? `${error.message}: ${story(error.cause)}` : (error.stack ?? error.message)
}

const slot = Symbol.for('workerbee.fuzz.batch')
const caller = new Script(`globalThis[Symbol.for('workerbee.fuzz.batch')]()`)

/** Whether `run` came back in time. V8 ends it otherwise, in the middle of whatever loop it is in. */
function withinDeadline(run: () => void): boolean {
  const holder = globalThis as unknown as Record<symbol, () => void>
  holder[slot] = run
  try {
    caller.runInThisContext({ timeout: deadlineMs })
    return true
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return false
    throw error
  } finally {
    delete holder[slot]
  }
}
