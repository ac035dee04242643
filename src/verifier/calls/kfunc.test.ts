// Kfuncs of the user: flags as declared, types from the program's own extern. What the same flags mean for the kernel's
// kfuncs is recorded in test/verifier.
import { expect, it } from 'vitest'
import { btfBuilder, parseBtf } from '../../btf/index.js'
import type { Insn } from '../../isa/insn.js'
import type { ObjectSpec, ProgramSpec, Reference } from '../../object/spec.js'
import type { KfuncFlags, KfuncRow } from '../../profile/index.js'
import type { ProgramType } from '../../uapi/index.js'
import { verify } from '../verify.js'

const insn = (code: number, dst = 0, src = 0, off = 0, imm = 0): Insn => ({ code, dst, src, off, imm })
const zero = insn(0xb7)
const exit = insn(0x95)
const move = (dst: number, src: number): Insn => insn(0xbf, dst, src)
const number = (dst: number, imm: number): Insn => insn(0xb7, dst, 0, 0, imm)
const stack = (dst: number, offset: number): Insn[] => [move(dst, 10), insn(0x07, dst, 0, 0, offset)]
const init8 = insn(0x7a, 10, 0, -8, 0)

/** The declarations: `int take(void *buf, unsigned int buf__sz)` and so on. */
const builder = btfBuilder()
const int = builder.int('int', 4, { signed: true })
const u32 = builder.int('unsigned int', 4)
const object = builder.struct('object', 8, [['value', builder.int('long', 8, { signed: true }), 0]])
const linked = builder.struct('linked', 8, [['next', builder.pointer(object), 0]])
const prototype = (name: string, returns: number, ...params: [string, number][]): number =>
  builder.add({
    kind: 'func',
    name,
    linkage: 'extern',
    type: builder.add({
      kind: 'func_proto',
      name: '',
      returnType: returns,
      params: params.map(([name, type]) => ({ name, type })),
    }),
  })
const functions: Record<string, number> = {
  take: prototype('take', int, ['buf', builder.pointer(0)], ['buf__sz', u32]),
  fill: prototype('fill', int, ['out', builder.pointer(object)]),
  chase: prototype('chase', int, ['list', builder.pointer(linked)]),
  get: prototype('get', builder.pointer(object)),
  put: prototype('put', 0, ['object', builder.pointer(object)]),
  view: prototype('view', builder.pointer(u32), ['rdonly_buf_size', u32]),
  text: prototype('text', builder.pointer(u32)),
  level: prototype('level', int, ['level__k', u32]),
  run: prototype('run', int, ['frame', builder.pointer(builder.add({ kind: 'fwd', name: 'nobody', union: false }))]),
}
const btf = parseBtf(builder.finish())

interface Setup {
  type?: ProgramType
  flags?: KfuncFlags
  programTypes?: KfuncRow['programTypes']
  license?: string
}

/** Verifies a program in which instructions with code 0x85, src 2 call the kfuncs in `calls`, in order. */
function judge(
  insns: Insn[],
  calls: string[],
  { type = 'syscall', flags = {}, programTypes = 'all', license = 'GPL' }: Setup = {},
) {
  const references = new Map<number, Reference>()
  const names = [...calls]
  for (const [at, { code, src }] of insns.entries()) {
    const name = code === 0x85 && src === 2 ? names.shift() : undefined
    if (name) references.set(at, { kind: 'kfunc', name, weak: false, typeId: functions[name] ?? 0 })
  }
  const kfuncs = [...new Set(calls)].map((name): KfuncRow => {
    const types = { btf, func: functions[name] ?? 0 }
    return { name, kernelId: 0, described: true, flags: rowFlags(name, flags), programTypes, types: () => types }
  })
  const p: ProgramSpec = {
    name: 'p',
    section: 'p',
    type,
    attachType: undefined,
    attachTo: undefined,
    sleepable: type === 'syscall',
    flags: 0,
    autoload: true,
    insns,
    references,
    functions: [{ name: 'p', start: 0, typeId: 0 }],
    lines: [],
    coreRelocations: [],
  }
  const spec: ObjectSpec = {
    name: 'o',
    license,
    kernelVersion: 0,
    btf,
    programs: { p },
    maps: {},
    variables: {},
    externs: [],
    warnings: [],
  }
  const { verdict, errno, message } = verify(spec, { kfuncs }).programs[0] ?? {}
  return { verdict, errno, message }
}

function rowFlags(name: string, flags: KfuncFlags): KfuncFlags {
  if (name === 'get') return { acquire: true, retNull: true, ...flags }
  return name === 'put' ? { release: true, ...flags } : flags
}

const kfunc = insn(0x85, 0, 2)
const accept = { verdict: 'accept', errno: undefined, message: '' }
const reject = (errno: string, message: string) => ({ verdict: 'reject', errno, message })

it('memory with its size: any size up to what the pointer has', () => {
  const take = (size: Insn[]) => judge([init8, ...stack(1, -8), ...size, kfunc, zero, exit], ['take'])
  expect(take([number(2, 8)])).toEqual(accept)
  expect(take([number(2, 0)])).toEqual(accept)
  const text = 'arg#0 arg#1 memory, len pair leads to invalid memory access'
  expect(take([number(2, 9)])).toEqual(reject('EINVAL', text))
  expect(take([number(2, -1)])).toEqual(reject('EACCES', text))
  expect(take(stack(2, -8))).toEqual(reject('EINVAL', 'R2 is not a scalar'))
})

it('memory of a type: its size comes from BTF, NULL may be passed', () => {
  const fill = (...pointer: Insn[]) => judge([...pointer, kfunc, zero, exit], ['fill'])
  expect(fill(init8, ...stack(1, -8))).toEqual(accept)
  expect(fill(number(1, 0))).toEqual(accept)
  expect(fill(init8, ...stack(1, -4))).toEqual(reject('EINVAL', 'invalid read from stack R1 off=-4 size=8'))
  expect(judge([init8, ...stack(1, -8), kfunc, zero, exit], ['chase'])).toMatchObject({
    verdict: 'reject',
    message: 'arg#0 pointer type STRUCT linked must point to scalar, or struct with scalar',
  })
})

it('a reference must be tested, used and given back', () => {
  const get = [kfunc, insn(0x15, 0, 0, 2), move(1, 0), kfunc, zero, exit]
  expect(judge(get, ['get', 'put'])).toEqual(accept)
  expect(judge([kfunc, zero, exit], ['get'])).toMatchObject({
    errno: 'EINVAL',
    message: 'BPF_EXIT instruction in main prog would lead to reference leak',
  })
  expect(judge([kfunc, move(1, 0), kfunc, zero, exit], ['get', 'put'])).toEqual(
    reject('EACCES', 'Possibly NULL pointer passed to trusted arg0'),
  )
  expect(judge([number(1, 0), kfunc, zero, exit], ['put'])).toEqual(
    reject('EACCES', 'Possibly NULL pointer passed to trusted arg0'),
  )
  const twice = [kfunc, insn(0x15, 0, 0, 4), move(6, 0), move(1, 0), kfunc, move(1, 6), kfunc, zero, exit]
  // The second register that held the object holds just a number then.
  expect(judge(twice, ['get', 'put', 'put'])).toEqual(reject('EACCES', 'R1 type=scalar expected=fp'))
})

it('returned memory is as long as its constant argument says, and readable only', () => {
  const view = (...rest: Insn[]) =>
    judge([number(1, 16), kfunc, insn(0x15, 0, 0, 1), ...rest, zero, exit], ['view'], { flags: { retNull: true } })
  expect(view(insn(0x61, 2, 0, 12))).toEqual(accept)
  expect(view(insn(0x61, 2, 0, 16))).toMatchObject({ verdict: 'reject', errno: 'EACCES' })
  expect(view(insn(0x62, 0, 0, 0, 1))).toMatchObject({ verdict: 'reject', errno: 'EACCES' })
  expect(judge([kfunc, zero, exit], ['text'])).toEqual(
    reject('EINVAL', 'kernel function text returns pointer type INT unsigned int is not supported'),
  )
})

it('constant parameters', () => {
  expect(judge([number(1, 3), kfunc, zero, exit], ['level'])).toEqual(accept)
  expect(judge([insn(0x61, 1, 1, 0), kfunc, zero, exit], ['level'])).toEqual(
    reject('EINVAL', 'R1 must be a known constant'),
  )
})

it('flags: sleepable, program types, trusted arguments, licence', () => {
  const one = [number(1, 3), kfunc, zero, exit]
  expect(judge(one, ['level'], { flags: { sleepable: true } })).toEqual(accept)
  expect(judge(one, ['level'], { flags: { sleepable: true }, type: 'xdp' })).toEqual(
    reject('EACCES', 'program must be sleepable to call sleepable kfunc level'),
  )
  expect(judge(one, ['level'], { programTypes: ['xdp'] })).toEqual(
    reject('EACCES', 'calling kernel function level is not allowed'),
  )
  expect(judge([number(1, 0), kfunc, zero, exit], ['fill'], { flags: { trustedArgs: true } })).toEqual(
    reject('EACCES', 'Possibly NULL pointer passed to trusted arg0'),
  )
  expect(judge(one, ['level'], { license: 'Proprietary' })).toEqual(
    reject('EINVAL', 'cannot call kernel function from non-GPL compatible program'),
  )
})

it('says by name what it does not know', () => {
  expect(judge([init8, ...stack(1, -8), kfunc, zero, exit], ['run'])).toMatchObject({ verdict: 'reject' })
  const unknown = judge([kfunc, zero, exit], ['nothing_of_the_kind'])
  expect(unknown).toEqual({ verdict: 'unsupported', errno: undefined, message: 'kfunc nothing_of_the_kind' })
})
