// Asks the running kernel what it offers and writes the answers to src/profile/v6_18/recorded.ts: which helper and kfunc
// each program type may call, what each context access gives, what R0 may be at exit. Nothing there is typed by hand.
// Tiny programs are loaded with the verifier's log and thrown away; none is run or attached. Needs root, koffi and a build
// (`npm run build`), and the reference kernel. A minute.
import { spawnSync } from 'node:child_process'
import { closeSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const dist = process.env.WORKERBEE_DIST ?? join(root, 'dist')
const { tryLoadProgram, kernelSymbols, kernelVersion } = await import(join(dist, 'linux/index.js'))
const { programTypes, attachTypes, helperIds } = await import(join(dist, 'uapi/index.js'))
const { parseBtf } = await import(join(dist, 'btf/index.js'))

const insn = (code, dst = 0, src = 0, off = 0, imm = 0) => {
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  bytes[0] = code
  bytes[1] = dst | (src << 4)
  view.setInt16(2, off, true)
  view.setInt32(4, imm, true)
  return [...bytes]
}
const zero = insn(0xb7)
const exit = insn(0x95)

/** How each type is loaded: the attach type or function that it needs, and whether it must be sleepable. */
const setups = {
  cgroup_sock_addr: { expectedAttachType: attachTypes.cgroup_inet4_connect },
  cgroup_sockopt: { expectedAttachType: attachTypes.cgroup_getsockopt },
  sk_lookup: { expectedAttachType: attachTypes.sk_lookup },
  netfilter: { expectedAttachType: attachTypes.netfilter },
  tracing: {
    expectedAttachType: attachTypes.trace_raw_tp,
    attachBtfId: kernelSymbols().typedef.get('btf_trace_sched_switch'),
  },
  syscall: { flags: 16 },
}
const load = (type, insns, options = {}) => {
  const answer = tryLoadProgram({
    type: programTypes[type],
    insns: new Uint8Array(insns.flat()),
    license: 'GPL',
    logLevel: 2,
    ...setups[type],
    ...options,
  })
  if (answer.result >= 0) closeSync(answer.result)
  return answer
}

const types = Object.keys(programTypes).filter((type) => {
  if (type === 'unspec') return false
  const { result, log } = load(type, [zero, exit])
  if (result < 0 && !/should have been/.test(log))
    console.log(`${type}: cannot be loaded here (${result}) ${log.trim()}`)
  return result >= 0 || /should have been/.test(log)
})

/** 1,2,3,5 -> "1-3,5" */
const ranges = (numbers) => {
  const parts = []
  for (const n of numbers) {
    const last = parts.at(-1)
    if (last && last[1] === n - 1) last[1] = n
    else parts.push([n, n])
  }
  return parts.map(([a, b]) => (a === b ? `${a}` : `${a}-${b}`)).join(',')
}

/** What R0 must be at exit: a range, null where it is free, undefined where the program cannot be loaded so. */
const returnRange = (type, options) => {
  const { result, log } = load(type, [insn(0xb7, 0, 0, 0, 123456), exit], options)
  const range = /should have been in \[(-?\d+), (-?\d+)\]/.exec(log)
  if (range) return [range[1], range[2]]
  return result >= 0 ? null : undefined
}

const helpers = {}
const gplHelpers = new Set()
const sleepingHelpers = new Set()
const returns = {}
for (const type of types) {
  const allowed = []
  for (const id of Object.values(helperIds)) {
    if (id === 0) continue
    const { log } = load(type, [insn(0x85, 0, 0, 0, id), zero, exit])
    if (/cannot use helper|unknown func/.test(log)) continue
    allowed.push(id)
    if (/might sleep in a non-sleepable/.test(log)) sleepingHelpers.add(id)
    const other = load(type, [insn(0x85, 0, 0, 0, id), zero, exit], { license: 'Proprietary' })
    if (/GPL-restricted/.test(other.log)) gplHelpers.add(id)
  }
  helpers[type] = ranges(allowed)
  returns[type] = returnRange(type, {})
  for (const [name, number] of Object.entries(attachTypes)) {
    const range = returnRange(type, { expectedAttachType: number })
    if (range !== undefined && String(range) !== String(returns[type])) returns[`${type}/${name}`] = range
  }
}

const sleepable = {}
for (const type of types) {
  const can = (flags) => !/sleepable/.test(load(type, [zero, exit], { flags }).log)
  sleepable[type] = can(16) ? (can(0) ? 'may' : 'must') : 'no'
}

/** What a load gave, from the register that the log prints after it. */
const loadedValue = (log) => {
  const printed = /^1: .*; R[01]?.*?R2=([a-z_]+|\d+|0x)/m.exec(log)?.[1] ?? ''
  return /^(scalar|\d|0x)/.test(printed) ? 'scalar' : printed.replace(/_$/, '')
}
const refused =
  /invalid bpf_context access|invalid bpf_trace|invalid access|dereference of modified ctx|misaligned|cannot write/
/** What an access gives, or undefined. */
const accessContext = (type, access, size, offset) => {
  const bits = { 1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18 }[size]
  const insns =
    access === 'read'
      ? [zero, insn(0x61 | bits, 2, 1, offset), zero, exit]
      : [zero, insn(0xb7, 2), insn(0x63 | bits, 1, 2, offset), zero, exit]
  const { log } = load(type, insns)
  if (refused.test(log)) return undefined
  return access === 'read' ? loadedValue(log) : 'scalar'
}
const window = 320
const contexts = {}
for (const type of types) {
  // What a tracing program finds in its context depends on the function.
  if (type === 'tracing') continue
  const accesses = []
  for (const size of [1, 2, 4, 8]) {
    for (let offset = 0; offset < window; offset++) {
      for (const access of ['read', 'write']) {
        const value = accessContext(type, access, size, offset)
        if (value) accesses.push({ access, size, offset, value })
      }
    }
  }
  contexts[type] = accesses
}
/** A row that ends with the window goes on as far as the kernel allows (or an instruction can reach). */
const extend = (type, row) => {
  const [access, size, , to, step] = row
  if (to + step < window) return row
  let low = to / step
  let high = Math.floor((32767 - (size - 1)) / step)
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (accessContext(type, access, size, middle * step) === row[5]) low = middle
    else high = middle - 1
  }
  row[3] = low * step
  return row
}
/** Runs of equal accesses at equal distances become one row [access, size, from, to, step, value]. */
const rows = (accesses) => {
  const out = []
  const key = (a) => `${a.access} ${a.size} ${a.value}`
  const groups = Map.groupBy
    ? Map.groupBy(accesses, key)
    : accesses.reduce((m, a) => m.set(key(a), [...(m.get(key(a)) ?? []), a]), new Map())
  for (const group of groups.values()) {
    let run
    for (const { access, size, offset, value } of group) {
      const step = run ? offset - run[3] : 0
      if (run && ((run[2] === run[3] && step <= 8) || step === run[4])) {
        run[4] = step
        run[3] = offset
      } else {
        run = [access, size, offset, offset, size, value]
        out.push(run)
      }
    }
  }
  return out
}

const vmlinux = parseBtf(new Uint8Array(readFileSync('/sys/kernel/btf/vmlinux')))
const tagged = new Map()
for (const type of vmlinux.types) {
  if (type.kind !== 'decl_tag' || type.name !== 'bpf_kfunc') continue
  const func = vmlinux.type(type.type)
  tagged.set(func.name, func.id)
}
/** Ids below this one are no functions. */
const firstFunction = vmlinux.types.find((type) => type.kind === 'func').id
const kfuncs = []
for (const [name, id] of [...tagged].sort(([a], [b]) => (a < b ? -1 : 1))) {
  const allowed = []
  let sleeps = false
  for (const type of types) {
    const { log } = load(type, [insn(0x85, 0, 2, 0, id), zero, exit])
    if (/is not allowed/.test(log)) continue
    allowed.push(type)
    if (/must be sleepable/.test(log)) sleeps = true
  }
  kfuncs.push([name, id, allowed.length === types.length ? 'all' : allowed.join(' '), sleeps ? 'sleepable' : ''])
}

const json = (value) => JSON.stringify(value)
const text = `/**
 * What Linux ${kernelVersion()} answered to scripts/record-profile.mjs. Generated: do not edit.
 */

/** Program types that could be loaded on the recording machine. */
export const recordedTypes = ${json(types)} as const

/** Helper numbers that each program type may call. */
export const helperCallers: Readonly<Record<string, string>> = ${json(helpers)}

/** Helpers for programs with a GPL-compatible licence only. */
export const gplHelpers = ${json(ranges([...gplHelpers].sort((a, b) => a - b)))}

/** Helpers that code which may not sleep must not call. */
export const sleepingHelpers = ${json(ranges([...sleepingHelpers].sort((a, b) => a - b)))}

/** What R0 must be at exit, null where it is free; by type, and by type and attach type where that differs. */
export const returnRanges: Readonly<Record<string, readonly [string, string] | null>> = ${json(returns)}

/** Whether the type may, must or must not be loaded with BPF_F_SLEEPABLE. */
export const sleepableTypes: Readonly<Record<string, 'no' | 'may' | 'must'>> = ${json(sleepable)}

/** Context accesses: [access, size, from, to, step, value]. */
export const contextRows: Readonly<
  Record<string, readonly (readonly ['read' | 'write', 1 | 2 | 4 | 8, number, number, number, string])[]>
> = ${json(Object.fromEntries(Object.entries(contexts).map(([type, accesses]) => [type, rows(accesses).map((row) => extend(type, row))])))}

/** The lowest BTF id of a function in the kernel: smaller ones are types. */
export const firstFunctionId = ${firstFunction}

/** Kfuncs: [name, BTF id, program types, 'sleepable' or '']. */
export const kfuncRows: readonly (readonly [string, number, string, 'sleepable' | ''])[] = ${json(kfuncs)}
`
const file = join(root, 'src/profile/v6_18/recorded.ts')
writeFileSync(file, text)
spawnSync(process.execPath, [join(root, 'node_modules/@biomejs/biome/bin/biome'), 'format', '--write', file], {
  stdio: 'inherit',
})
console.log(`${types.length} program types, ${kfuncs.length} kfuncs -> ${file}`)
