import { expect, it } from 'vitest'
import { type BtfBuilder, btfBuilder, parseBtf } from '../../btf/index.js'
import { assemble } from '../../isa/index.js'
import type { ObjectSpec, ProgramSpec } from '../../object/spec.js'
import { getProfile } from '../../profile/index.js'
import type { ProgramType } from '../../uapi/index.js'
import { verifyProgram } from '../index.js'

/** A program that calls function 1, global, with one parameter; `param` makes the parameter's type. */
function verdict(
  text: string,
  start: number,
  param: (types: BtfBuilder) => number,
  options: { type?: ProgramType; tag?: string } = {},
): string {
  const types = btfBuilder()
  const int = types.int('int', 4, { signed: true })
  const main = types.add({ kind: 'func_proto', name: '', returnType: int, params: [] })
  const proto = types.add({
    kind: 'func_proto',
    name: '',
    returnType: int,
    params: [{ name: 'a', type: param(types) }],
  })
  const ids = [main, proto].map((type, i) => types.add({ kind: 'func', name: `f${i}`, type, linkage: 'global' }))
  if (options.tag) types.add({ kind: 'decl_tag', name: options.tag, type: ids[1] ?? 0, component: 0 })
  const program: ProgramSpec = {
    name: 'f0',
    section: 'tc',
    type: options.type ?? 'sched_cls',
    attachType: undefined,
    attachTo: undefined,
    sleepable: options.type === 'syscall',
    flags: 0,
    autoload: true,
    insns: assemble(text),
    references: new Map(),
    functions: [0, start].map((at, i) => ({ name: `f${i}`, start: at, typeId: ids[i] ?? 0 })),
    lines: [],
    coreRelocations: [],
  }
  const object: ObjectSpec = {
    name: 'test',
    license: 'GPL',
    kernelVersion: 0,
    btf: parseBtf(types.finish()),
    programs: { f0: program },
    maps: {},
    variables: {},
    externs: [],
    warnings: [],
  }
  const report = verifyProgram(object, program, { profile: getProfile(), logLevel: 0 })
  return report.verdict === 'accept' ? 'accept' : `${report.errno ?? report.verdict}: ${report.message}`
}

const u64 = (types: BtfBuilder): number => types.int('long long unsigned int', 8)
const pointer = (types: BtfBuilder): number => types.pointer(u64(types))
const context = (types: BtfBuilder): number =>
  types.pointer(types.add({ kind: 'struct', name: '__sk_buff', size: 192, members: [] }))
const invalid = "EINVAL: Caller passes invalid args into func#1 ('f1')"

it('takes any scalar, and knows nothing about the result', () => {
  const call = 'r1 = 7\ncall pc+1\nexit\nr0 = r1\nexit'
  expect(verdict(call, 3, u64)).toBe('accept')
  expect(verdict('r1 = r10\ncall pc+1\nexit\nr0 = r1\nexit', 3, u64)).toBe(invalid)
})

it('takes the context for a context', () => {
  expect(verdict('call pc+1\nexit\nr0 = *(u32 *)(r1 +0)\nexit', 2, context)).toBe('accept')
  expect(verdict('r1 = r10\ncall pc+1\nexit\nr0 = *(u32 *)(r1 +0)\nexit', 3, context)).toBe(invalid)
})

it('takes memory that is long enough, or NULL, and must test for NULL', () => {
  const tested = 'r0 = 0\nif r1 == 0 goto pc+1\nr0 = *(u64 *)(r1 +0)\nexit'
  const untested = 'r0 = *(u64 *)(r1 +0)\nexit'
  const pass = (offset: number): string => `r1 = r10\nr1 += ${offset}\ncall pc+1\nexit\n`
  expect(verdict(pass(-8) + tested, 4, pointer)).toBe('accept')
  expect(verdict(`r1 = 0\ncall pc+1\nexit\n${tested}`, 3, pointer)).toBe('accept')
  expect(verdict(pass(-4) + tested, 4, pointer)).toBe(invalid)
  expect(verdict(pass(-8) + untested, 4, pointer)).toBe("EACCES: R1 invalid mem access 'mem_or_null'")
  expect(verdict(pass(-8) + untested, 4, pointer, { tag: 'arg:nonnull' })).toBe('accept')
  expect(verdict(`r1 = 0\ncall pc+1\nexit\n${untested}`, 3, pointer, { tag: 'arg:nonnull' })).toBe(invalid)
  expect(verdict(pass(-8) + untested, 4, pointer, { tag: 'arg:trusted' })).toMatch(/^unsupported: .*arg:trusted/)
})

it('forgets packet pointers where the function may move the packet', () => {
  const use = (body: string): string =>
    `r7 = *(u32 *)(r1 +76)\nr8 = *(u32 *)(r1 +80)\nr2 = r7\nr2 += 1\nif r2 > r8 goto pc+2\ncall pc+3\nr0 = *(u8 *)(r7 +0)\nr0 = 0\nexit\n${body}`
  expect(verdict(use('r0 = 0\nexit'), 9, context)).toBe('accept')
  expect(verdict(use('r2 = 0\ncall bpf_skb_pull_data#39\nr0 = 0\nexit'), 9, context)).toBe(
    "EACCES: R7 invalid mem access 'scalar'",
  )
})
