/**
 * Functions that may end the program in the middle (a tail call, an old packet load) must return an int, which only their
 * BTF can show. Checked before any path is followed; texts of Linux 6.18.
 */
import { helperIds } from '../../uapi/index.js'
import type { Program, Subprogram } from '../program.js'
import type { FlowError } from './flow.js'

/** The first function (the program itself apart) that may end the program and does not return an int. */
export function checkEarlyReturn(program: Program): FlowError | undefined {
  const hasTypes = program.btf !== undefined && program.subprograms.some(({ typeId }) => typeId !== 0)
  for (const each of program.subprograms.slice(1)) {
    const body = program.insns.slice(each.start, each.end)
    const packet = body.some(({ code }) => (code & 7) === 0 && ((code & 0xe0) === 0x20 || (code & 0xe0) === 0x40))
    const tail = body.some(({ code, src, imm }) => code === 0x85 && src === 0 && imm === helperIds.bpf_tail_call)
    const what = packet ? 'LD_ABS' : tail ? 'tail_call' : undefined
    if (!what || (hasTypes && returnsInt(program, each))) continue
    const message = hasTypes
      ? `${what} is only allowed in functions that return 'int'.`
      : `${what} is not allowed in subprogs without BTF`
    return { errno: 'EINVAL', message, insn: each.start }
  }
  return undefined
}

function returnsInt({ btf }: Program, { typeId }: Subprogram): boolean {
  const func = btf?.types[typeId]
  const proto = btf && func?.kind === 'func' ? btf.type(func.type) : undefined
  if (!btf || proto?.kind !== 'func_proto') return false
  return ['int', 'enum', 'enum64'].includes(btf.resolve(proto.returnType).kind)
}
