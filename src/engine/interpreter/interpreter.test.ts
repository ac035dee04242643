import { beforeEach, describe, expect, it } from 'vitest'
import { assemble, type Insn } from '../../isa/index.js'
import { MACHINE, MACHINE_AT, PROG, TASK, taskStates } from '../../runtime/layout.js'
import { createRuntime, type Runtime } from '../../runtime/runtime.js'
import { bareProgram } from '../bare.js'
import type { CallTarget, Engine } from '../engine.js'
import { createInterpreter, runtimeOptions } from './interpreter.js'

/** Exit code of a bare program that must trap: its code and the instruction. */
function trapOf(text: string): string {
  try {
    bareProgram(assemble(text)).run(1_000_000)
  } catch (error) {
    return `${(error as { code: string }).code} at ${(error as { place: string }).place}`
  }
  return 'none'
}

describe('what cannot be executed traps, and names the instruction', () => {
  it('addresses: the NULL page, beyond the end, anything in the upper half', () => {
    expect(trapOf('r1 = 0\nr0 = *(u8 *)(r1 +0)\nexit')).toBe('bad-address at instruction 1')
    expect(trapOf('r1 = 0xffff\n*(u8 *)(r1 +0) = 1\nexit')).toBe('bad-address at instruction 1')
    expect(trapOf('r1 = 0x7fffffff\nr0 = *(u64 *)(r1 +0)\nexit')).toBe('bad-address at instruction 1')
    expect(trapOf('r1 = 0x7fffffff\n*(u64 *)(r1 +8) = 0\nexit')).toBe('bad-address at instruction 1')
    expect(trapOf('r1 = r10\nr2 = 0x100000000 ll\nr1 += r2\nr0 = *(u64 *)(r1 -8)\nexit')).toBe(
      'bad-address at instruction 4',
    )
    expect(trapOf('r1 = -8\nr0 = *(u32 *)(r1 +16)\nexit')).toBe('bad-address at instruction 1')
    expect(trapOf('r1 = 0\nlock *(u64 *)(r1 +0) += r1\nexit')).toBe('bad-address at instruction 1')
  })

  it('opcodes and registers that do not exist, and running off the end', () => {
    const odd = (insn: Partial<Insn>) => {
      const program = bareProgram([{ code: 0xb7, dst: 0, src: 0, off: 0, imm: 0, ...insn }, ...assemble('exit')])
      return () => program.run()
    }
    expect(odd({ code: 0xff })).toThrow('instruction 0: there is no instruction')
    expect(odd({ dst: 11 })).toThrow('instruction 0: there is no instruction')
    expect(odd({ code: 0xbf, off: 7 })).toThrow('instruction 0: there is no instruction')
    expect(trapOf('r0 = 1')).toBe('bad-opcode at instruction 1')
    expect(trapOf('r0 = 1\ngoto pc+100')).toBe('bad-opcode at instruction 2')
    expect(trapOf('goto pc+1\nr0 = 5 ll\nexit')).toBe('bad-opcode at instruction 2')
  })

  it('atomic operations on an address that is no multiple of their size', () => {
    expect(trapOf('r1 = 1\nlock *(u64 *)(r10 -12) += r1\nexit')).toBe('misaligned-atomic at instruction 1')
    expect(trapOf('r1 = 1\nlock *(u32 *)(r10 -6) += r1\nexit')).toBe('misaligned-atomic at instruction 1')
    expect(trapOf('r1 = 1\nlock *(u32 *)(r10 -12) += r1\nr0 = 0\nexit')).toBe('none')
  })

  it('the ninth function at once, and a call of what is no function', () => {
    expect(trapOf('call f\nexit\nf: call f\nexit')).toBe('stack-overflow at instruction 2')
    expect(trapOf('r1 = 5\ncallx r1')).toBe('bad-function at instruction 1')
    expect(trapOf('r1 = r10\nr1 += -8\ncallx r1')).toBe('bad-function at instruction 2')
  })
})

describe('bare programs', () => {
  it('refuse helpers, kernel functions and maps by name', () => {
    expect(() => bareProgram(assemble('call bpf_ktime_get_ns\nexit'))).toThrow('instruction 0: helper 5 is called')
    expect(() => bareProgram(assemble('r0 = 0\ncall bpf_wq_init#66103'))).toThrow('kernel function 66103')
    expect(() => bareProgram(assemble('r1 = map[fd:3]\nexit'))).toThrow(expect.objectContaining({ code: 'no-maps' }))
    expect(() => bareProgram(assemble('call pc+9\nexit'))).toThrow(expect.objectContaining({ code: 'bad-function' }))
  })

  it('call the register that LLVM before 19 put into imm', () => {
    const [load, upper, callx, ...rest] = assemble('r2 = subprog[f]\ncallx r2\nexit\nf: r0 = 4\nexit')
    if (!load || !upper || !callx) throw new Error('three slots expected')
    expect(bareProgram([load, upper, { ...callx, dst: 0, imm: 2 }, ...rest]).run()).toBe(4n)
  })

  it('end where their budget does', () => {
    expect(() => bareProgram(assemble('goto pc-1')).run(1000)).toThrow(
      expect.objectContaining({ code: 'out-of-budget' }),
    )
  })
})

it('ends a may_goto loop after 8,388,608 rounds (defined by us)', () => {
  const program = bareProgram(assemble('r0 = 0\nagain: may_goto pc+2\nr0 += 1\ngoto again\nexit'))
  expect(program.run()).toBe(0x800000n)
})

describe('on a runtime', () => {
  let runtime: Runtime
  let engine: Engine
  let task: number
  beforeEach(() => {
    runtime = createRuntime()
    engine = createInterpreter(runtimeOptions(runtime))
    task = runtime.calls.taskNew(0, 0)
  })

  function prepare(text: string, calls: [number, CallTarget][] = [], functions: number[] = [0]): readonly number[] {
    return engine.prepare({
      name: 'test',
      prog: runtime.calls.allocZeroed(PROG.size),
      insns: assemble(text),
      functions: functions.map((start) => ({ name: `f${start}`, start })),
      calls: new Map(calls),
    })
  }
  const start = (handles: readonly number[]) => engine.enter(task, handles[0] ?? 0)
  const register = (index: number) => runtime.load64(task + TASK.regs + index * 8)
  const clock = () => runtime.load64(MACHINE_AT + MACHINE.clock)

  it('an instruction takes a nanosecond; a clock read sees those before it and takes one more', () => {
    start(prepare('r6 = 1\nr7 = 2\ncall bpf_ktime_get_ns\nexit', [[2, { kind: 'leaf', name: 'bpf_ktime_get_ns' }]]))
    expect(engine.resume(task, 100)).toBe('done')
    expect(register(0)).toBe(3n)
    expect(clock()).toBe(5n)
    expect(runtime.load64(task + TASK.executed)).toBe(4n)
  })

  it('stops for the machine with the call in the task, and goes on with the R0 that it wrote', () => {
    start(prepare('r1 = 5\ncall 6\nr0 += 1\nexit', [[1, { kind: 'host', id: 77 }]]))
    expect(engine.resume(task, 100)).toBe('host')
    expect([runtime.load32(task + TASK.hostCall), register(1)]).toEqual([77, 5n])
    expect(runtime.load32(task + TASK.state)).toBe(taskStates.suspended)
    runtime.store64(task + TASK.regs, 41n)
    expect(engine.resume(task, 100)).toBe('done')
    expect(register(0)).toBe(42n)
  })

  it('is blocked by a lock that is held, without counting, and takes it once it is free', () => {
    const lock = runtime.calls.allocZeroed(8)
    runtime.store32(lock, 1)
    const handles = prepare('call bpf_spin_lock\nr0 = 9\nexit', [[0, { kind: 'leaf', name: 'bpf_spin_lock' }]])
    runtime.store64(task + TASK.regs + 8, BigInt(lock))
    start(handles)
    expect(engine.resume(task, 100)).toBe('blocked')
    expect(engine.resume(task, 100)).toBe('blocked')
    expect([runtime.load64(task + TASK.executed), clock(), runtime.load32(task + TASK.pc)]).toEqual([0n, 0n, 0])
    runtime.store32(lock, 0)
    expect(engine.resume(task, 100)).toBe('done')
    expect([register(0), runtime.load32(lock)]).toEqual([9n, 1])
  })

  it('follows the memory when a routine makes it grow', () => {
    const options = runtimeOptions(runtime)
    let far = 0
    engine = createInterpreter({
      ...options,
      shim: () => () => {
        far = runtime.calls.allocZeroed(8 << 20) + (8 << 20) - 8
        runtime.store64(far, 123n)
        runtime.store64(task + TASK.regs, BigInt(far))
        return 0
      },
    })
    start(prepare('call 1\nr0 = *(u64 *)(r0 +0)\nexit', [[0, { kind: 'leaf', name: 'grow' }]]))
    expect(engine.resume(task, 100)).toBe('done')
    expect(register(0)).toBe(123n)
    expect(far).toBeGreaterThan(8 << 20)
  })

  it('traps where a routine is handed an address outside the memory', () => {
    const calls: [number, CallTarget][] = [[1, { kind: 'leaf', name: 'bpf_spin_lock' }]]
    start(prepare('r1 = 0x7ffffff0\ncall 93\nexit', calls))
    expect(engine.resume(task, 100)).toBe('trap')
    expect(engine.trap(task)).toMatchObject({ code: 'bad-address', program: 'test', insn: 1 })
  })

  it('refuses a routine that the runtime does not have', () => {
    expect(() => prepare('call 1\nexit', [[0, { kind: 'leaf', name: 'bpf_nothing' }]])).toThrow('bpf_nothing')
    expect(() => prepare('call 1\nexit', [[0, { kind: 'control', name: 'bpf_nothing' }]])).toThrow('bpf_nothing')
  })

  it('gives function pointers that callx and callbacks take, and takes them back', () => {
    const handles = prepare('r1 = subprog[f]\ncallx r1\nexit\nf: r0 = 3\nexit', [], [0, 4])
    start(handles)
    expect(engine.resume(task, 100)).toBe('done')
    expect([register(0), register(1)]).toEqual([3n, BigInt(handles[1] ?? 0)])
    engine.enter(task, handles[1] ?? 0)
    expect(engine.resume(task, 100)).toBe('done')
    expect(runtime.load64(task + TASK.executed)).toBe(2n)
    const used = runtime.load32(MACHINE_AT + MACHINE.heapUsed)
    engine.release(handles)
    expect(runtime.load32(MACHINE_AT + MACHINE.heapUsed)).toBeLessThan(used)
    start(handles)
    expect(engine.resume(task, 100)).toBe('trap')
  })

  describe('bpf_loop', () => {
    const loop = (count: string, flags = 0) => `
      *(u64 *)(r10 -8) = 0
      r6 = 600
      r1 = ${count}
      r2 = subprog[body]
      r3 = r10
      r3 += -8
      r4 = ${flags}
      call 181
      r1 = *(u64 *)(r10 -8)
      r0 += r6
      exit
    body:
      r6 = *(u64 *)(r2 +0)
      r6 += r1
      *(u64 *)(r2 +0) = r6
      r0 = 0
      if r1 != 0x4 goto pc+1
      r0 = 1
      exit`
    const run = (text: string): void => {
      start(prepare(text, [[8, { kind: 'control', name: 'bpf_loop' }]], [0, 12]))
      expect(engine.resume(task, 1000)).toBe('done')
    }

    it('calls the callback with 0, 1, 2, ... and gives the number of calls; R6 to R9 are kept', () => {
      run(loop('3'))
      expect([register(0), register(1)]).toEqual([603n, 3n])
    })
    it('ends when the callback returns 1', () => {
      run(loop('100'))
      expect([register(0), register(1)]).toEqual([605n, 10n])
    })
    it('refuses flags and more than 8,388,608 rounds as Linux does', () => {
      run(loop('3', 1))
      expect(BigInt.asIntN(64, register(0))).toBe(600n - 22n)
      run(loop('8388609'))
      expect(BigInt.asIntN(64, register(0))).toBe(600n - 7n)
      run(loop('0'))
      expect(register(0)).toBe(600n)
    })
  })

  describe('packet loads', () => {
    const packetRun = (text: string): bigint => {
      const packet = runtime.calls.allocZeroed(8)
      runtime.store64(packet, 0x0807060504030201n)
      runtime.store32(task + TASK.packet, packet)
      runtime.store32(task + TASK.packetEnd, packet + 8)
      start(prepare(text))
      expect(engine.resume(task, 100)).toBe('done')
      return register(0)
    }

    it('are big-endian, with a fixed place or one in a register', () => {
      expect(packetRun('r0 = *(u8 *)skb[7]\nexit')).toBe(8n)
      expect(packetRun('r0 = *(u16 *)skb[6]\nexit')).toBe(0x0708n)
      expect(packetRun('r1 = 3\nr0 = *(u32 *)skb[r1 + -1]\nexit')).toBe(0x03040506n)
    })
    it('outside the packet end the program with 0', () => {
      expect(packetRun('r0 = *(u32 *)skb[5]\nr0 = 9\nexit')).toBe(0n)
      expect(packetRun('r1 = -1\nr0 = *(u8 *)skb[r1 + 0]\nr0 = 9\nexit')).toBe(0n)
    })
  })
})
