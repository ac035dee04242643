import { describe, expect, it } from 'vitest'
import { failureOf, skipped } from '../../test/support/reference.js'
import type { Insn } from '../isa/insn.js'
import type { ObjectSpec, ProgramSpec, Reference } from '../object/index.js'
import { kernelSymbols } from './kernel.js'
import { encodeProgram, prepareProgram, type Surroundings } from './prepare.js'

const zero: Insn = { code: 0, dst: 0, src: 0, off: 0, imm: 0 }
const exit: Insn = { ...zero, code: 0x95 }

function program(insns: readonly Insn[], references: Record<number, Reference>, more: Partial<ProgramSpec> = {}) {
  const spec: ProgramSpec = {
    ...{ name: 'p', section: 'tc', type: 'sched_cls', attachType: undefined, attachTo: undefined, sleepable: false },
    ...{ flags: 0, autoload: true, functions: [{ name: 'p', start: 0, typeId: 3 }], lines: [], coreRelocations: [] },
    insns,
    references: new Map(Object.entries(references).map(([at, reference]) => [Number(at), reference])),
    ...more,
  }
  const object: ObjectSpec = {
    ...{
      name: 'o',
      license: 'GPL',
      kernelVersion: 7,
      btf: undefined,
      programs: { p: spec },
      maps: {},
      variables: {},
      warnings: [],
    },
    externs: Object.values(references).map(({ name, weak }) => ({ name, kind: 'kfunc', weak, typeId: 0 })),
  }
  const around: Surroundings = { object, mapFd: (name) => (name === 'm' ? 42 : 43), btfFd: 0, btf: undefined }
  return { spec, around }
}

const reference = (kind: Reference['kind'], name: string, weak = false): Reference => ({ kind, name, weak, typeId: 0 })

it('writes descriptors of maps into both kinds of loads and keeps the offset', () => {
  const load = { ...zero, code: 0x18, dst: 1 }
  const { spec, around } = program([load, zero, load, { ...zero, imm: 16 }, exit], {
    0: reference('map', 'm'),
    2: reference('map_value', 'data'),
  })
  const bytes = encodeProgram(spec, around)
  expect([...bytes.subarray(0, 16)]).toEqual([0x18, 0x11, 0, 0, 42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  expect([...bytes.subarray(16, 32)]).toEqual([0x18, 0x21, 0, 0, 43, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0])
  expect(spec.insns[0]?.imm).toBe(0)
})

it('hands over type, flags and attach type', () => {
  const { spec, around } = program([exit], {}, { sleepable: true, flags: 32, type: 'xdp', attachType: 'xdp_devmap' })
  expect(prepareProgram(spec, around)).toMatchObject({
    ...{ type: 6, flags: 48, expectedAttachType: 33, license: 'GPL', kernelVersion: 7, name: 'p', attachBtfId: 0 },
  })
  expect(() => prepareProgram({ ...spec, type: undefined }, around)).toThrow(
    expect.objectContaining({ code: 'no-program-type' }),
  )
})

const skip = skipped('looking up kernel functions', failureOf(kernelSymbols))

describe.skipIf(skip)('with the BTF of the running kernel', () => {
  const call = { ...zero, code: 0x85, src: 1, imm: -1 }

  it('calls kernel functions by id, and weak ones that are missing by a number that Linux refuses', () => {
    const { spec, around } = program([call, call, exit], {
      0: reference('kfunc', 'bpf_obj_new_impl'),
      1: reference('kfunc', 'no_such_kfunc', true),
    })
    const view = new DataView(encodeProgram(spec, around).buffer)
    expect(view.getUint8(1)).toBe(0x20)
    expect(view.getInt32(4, true)).toBe(kernelSymbols().func.get('bpf_obj_new_impl'))
    expect(view.getUint8(9)).toBe(0)
    expect(view.getInt32(12, true)).toBe(2002000001)
  })

  it('refuses strong ones that are missing, and targets that are', () => {
    const { spec, around } = program([call, exit], { 0: reference('kfunc', 'no_such_kfunc') })
    expect(() => encodeProgram(spec, around)).toThrow(/the running kernel has no kfunc 'no_such_kfunc'/)
    const traced = program([exit], {}, { type: 'tracing', attachType: 'trace_raw_tp', attachTo: 'no_such_event' })
    expect(() => prepareProgram(traced.spec, traced.around)).toThrow(
      expect.objectContaining({ code: 'no-attach-target' }),
    )
  })
})
