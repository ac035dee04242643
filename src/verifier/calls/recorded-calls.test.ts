// Helper calls with all kinds of arguments, and what Linux 6.18.44 said to them: errno and last line of the log. The file
// beside this one holds the questions and answers; WORKERBEE_RECORD=1 (root) asks the kernel for the answers again.
import { closeSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Insn } from '../../isa/insn.js'
import { createMap, tryLoadProgram } from '../../linux/index.js'
import type { MapSpec, ObjectSpec, ProgramSpec, Reference } from '../../object/spec.js'
import {
  errnos,
  type HelperName,
  helperIds,
  type MapType,
  mapTypes,
  type ProgramType,
  programTypes,
} from '../../uapi/index.js'
import { verify } from '../verify.js'

interface Case {
  readonly type: ProgramType
  readonly license: string
  readonly helper: HelperName
  /** What R1 to R5 hold: see `makers`. */
  readonly args: readonly string[]
  errno: number
  message: string
}

const file = new URL('recorded-calls-6.18.expected.json', import.meta.url)
const cases: Case[] = JSON.parse(readFileSync(file, 'utf8'))
const recording = Boolean(process.env.WORKERBEE_RECORD)

const insn = (code: number, dst = 0, src = 0, off = 0, imm = 0): Insn => ({ code, dst, src, off, imm })
const call = (helper: HelperName): Insn => insn(0x85, 0, 0, 0, helperIds[helper])
const zero = insn(0xb7)
const exit = insn(0x95)

const shapes: Partial<Record<MapType, readonly [key: number, value: number, entries: number]>> = {
  array: [4, 8, 4],
  hash: [4, 8, 4],
  queue: [0, 8, 4],
  perf_event_array: [4, 4, 2],
  ringbuf: [0, 0, 4096],
  stack_trace: [4, 8, 4],
  cgroup_array: [4, 4, 4],
  percpu_array: [4, 8, 4],
}

function mapSpec(type: MapType, [keySize, valueSize, maxEntries]: readonly [number, number, number]): MapSpec {
  const plain = { flags: 0, keyTypeId: 0, valueTypeId: 0, numaNode: 0, mapExtra: 0n, frozen: false } as const
  const none = { innerMap: undefined, contents: undefined, section: undefined, pinning: 'none' } as const
  return { name: '', type, keySize, valueSize, maxEntries, ...plain, ...none, initialValues: new Map() }
}

const maps: Record<string, MapSpec> = Object.fromEntries(
  Object.entries(shapes).map(([type, shape]) => [type, mapSpec(type as MapType, shape)]),
)

const framePointer = (r: number, offset: number): Insn[] => [insn(0xbf, r, 10), insn(0x07, r, 0, 0, offset)]

/** Instructions that put something into register `r`. Maps are loaded by their type's name. */
const makers: Record<string, (r: number) => Insn[]> = {
  zero: (r) => [insn(0xb7, r)],
  eight: (r) => [insn(0xb7, r, 0, 0, 8)],
  four: (r) => [insn(0xb7, r, 0, 0, 4)],
  sixtyFour: (r) => [insn(0xb7, r, 0, 0, 64)],
  negative: (r) => [insn(0xb7, r, 0, 0, -4)],
  huge: (r) => [insn(0xb7, r, 0, 0, 0x7fffffff)],
  upTo15: (r) => [insn(0xbf, r, 9), insn(0x57, r, 0, 0, 15)],
  unknown: (r) => [insn(0xbf, r, 9)],
  'fp-16': (r) => framePointer(r, -16),
  'fp-64': (r) => framePointer(r, -64),
  'fp-4': (r) => framePointer(r, -4),
  fp: (r) => [insn(0xbf, r, 10)],
  value: (r) => [insn(0xbf, r, 7)],
  'value+4': (r) => [insn(0xbf, r, 7), insn(0x07, r, 0, 0, 4)],
  maybeNull: (r) => [insn(0xbf, r, 8)],
  ctx: (r) => [insn(0xbf, r, 6)],
  packet: (r) => [insn(0x79, r, 10, -72)],
  nothing: () => [],
}

/** r6 context, r7 map value, r8 maybe-NULL map value, r9 any number, fp-8 to fp-24 written, fp-72 the packet. */
function build({ type, helper, args }: Case): { insns: Insn[]; references: Map<number, Reference> } {
  const insns: Insn[] = []
  const references = new Map<number, Reference>()
  const load = (r: number, name: string): void => {
    references.set(insns.length, { kind: 'map', name, weak: false, typeId: 0 })
    insns.push(insn(0x18, r, 1), insn(0))
  }
  const lookup = (): void => {
    insns.push(...framePointer(2, -8))
    load(1, 'hash')
    insns.push(call('bpf_map_lookup_elem'))
  }
  insns.push(insn(0xbf, 6, 1), insn(0x7a, 10, 0, -8, 1), insn(0x7a, 10, 0, -16, 2), insn(0x7a, 10, 0, -24, 0))
  lookup()
  insns.push(insn(0xbf, 8, 0))
  lookup()
  insns.push(insn(0x55, 0, 0, 2), zero, exit, insn(0xbf, 7, 0), call('bpf_ktime_get_ns'), insn(0xbf, 9, 0))
  if (args.includes('packet')) {
    const [data, end] = type === 'xdp' ? [0, 4] : [76, 80]
    insns.push(insn(0x61, 0, 6, data), insn(0x61, 1, 6, end), insn(0xbf, 2, 0), insn(0x07, 2, 0, 0, 16))
    insns.push(insn(0xbd, 2, 1, 2), zero, exit, insn(0x7b, 10, 0, -72))
  }
  for (const [i, arg] of args.entries()) {
    const maker = makers[arg]
    if (maker) insns.push(...maker(i + 1))
    else load(i + 1, arg)
  }
  insns.push(call(helper), zero, exit)
  return { insns, references }
}

function ours(asked: Case): { errno: number; message: string } | string {
  const { insns, references } = build(asked)
  const rest = { attachType: undefined, attachTo: undefined, flags: 0, autoload: true, lines: [], coreRelocations: [] }
  const functions = [{ name: 'p', start: 0, typeId: 0 }]
  const sleepable = asked.type === 'syscall'
  const p: ProgramSpec = { name: 'p', section: 'p', type: asked.type, sleepable, insns, references, functions, ...rest }
  const { license } = asked
  const object: ObjectSpec = {
    name: 'o',
    license,
    kernelVersion: 0,
    btf: undefined,
    programs: { p },
    maps,
    variables: {},
    externs: [],
    warnings: [],
  }
  const report = verify(object).programs[0]
  if (!report) return 'no report'
  if (report.verdict === 'unsupported') return `unsupported: ${report.message}`
  return { errno: report.errno ? errnos[report.errno] : 0, message: report.message }
}

const fds: Record<string, number> = {}

function kernels(asked: Case): { errno: number; message: string } {
  const { insns, references } = build(asked)
  const bytes = new Uint8Array(insns.length * 8)
  const view = new DataView(bytes.buffer)
  for (const [i, each] of insns.entries()) {
    view.setUint8(i * 8, each.code)
    view.setUint8(i * 8 + 1, each.dst | (each.src << 4))
    view.setInt16(i * 8 + 2, each.off, true)
    view.setInt32(i * 8 + 4, fds[references.get(i)?.name ?? ''] ?? each.imm, true)
  }
  const { type, license } = asked
  const flags = type === 'syscall' ? 16 : 0
  const answer = tryLoadProgram({ type: programTypes[type], insns: bytes, license, logLevel: 1, flags })
  if (answer.result >= 0) {
    closeSync(answer.result)
    return { errno: 0, message: '' }
  }
  const message =
    answer.log
      .split('\n')
      .filter((line) => line && !line.startsWith('processed '))
      .pop() ?? ''
  // One message lacks its newline.
  return { errno: -answer.result, message: message.replace(/processed \d+ insns.*/, '') }
}

beforeAll(() => {
  if (!recording) return
  for (const [name, { type, ...sizes }] of Object.entries(maps))
    fds[name] = createMap({ type: mapTypes[type], ...sizes })
  for (const each of cases) Object.assign(each, kernels(each))
  writeFileSync(file, `[\n${cases.map((each) => JSON.stringify(each)).join(',\n')}\n]\n`)
})

afterAll(() => {
  for (const fd of Object.values(fds)) closeSync(fd)
})

it(`says what Linux 6.18 said to ${cases.length} helper calls`, () => {
  for (const each of cases) {
    const { errno, message, ...question } = each
    expect({ question, answer: ours(each) }).toEqual({ question, answer: { errno, message } })
  }
})

it('asked about refusals of many kinds and about calls that are fine', () => {
  const kinds = new Set(cases.map(({ message }) => message.replace(/\d+|bpf_\w+/g, 'N')))
  expect(cases.filter(({ errno }) => errno === 0).length).toBeGreaterThan(40)
  expect(kinds.size).toBeGreaterThan(25)
})
