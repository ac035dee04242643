/**
 * `dump insns`: a program's instructions as `bpftool prog dump xlated` prints them, with the names that the object has:
 * prototypes above functions, source lines where asked for, maps, kfuncs and callbacks by name.
 */
import { declare } from '../btf/index.js'
import { disassembleInsn, type Insn, type Names } from '../isa/index.js'
import type { ObjectSpec, ProgramSpec } from '../object/index.js'

const LOAD_IMM64 = 0x18
const PSEUDO_FUNC = 4
const LOCAL_CALL = 1

/** The listing of one program, line by line. */
export function listProgram(spec: ObjectSpec, program: ProgramSpec, source: boolean): string[] {
  const lines: string[] = []
  const starts = new Map(program.functions.map((fn) => [fn.start, fn]))
  const sources = new Map(program.lines.map((line) => [line.insn, line]))
  const names = namesOf(program)
  let shown = ''
  for (let i = 0; i < program.insns.length; i++) {
    const fn = starts.get(i)
    if (fn) lines.push(`${prototype(spec, fn.name, fn.typeId)}:`)
    const line = source ? sources.get(i) : undefined
    const text = line && `; ${line.text.trim()} @ ${line.file}:${line.line}`
    if (text && (fn || text !== shown)) {
      lines.push(text)
      shown = text
    }
    lines.push(`${String(i).padStart(4)}: ${disassembleInsn(program.insns, i, names)}`)
    if (program.insns[i]?.code === LOAD_IMM64) i++
  }
  return lines
}

function prototype(spec: ObjectSpec, name: string, typeId: number): string {
  const type = spec.btf?.types[typeId]
  return spec.btf && type?.kind === 'func' ? declare(spec.btf, type.type, type.name) : name
}

/** What instructions refer to, by the names in the object; a target within the program keeps its distance as well. */
function namesOf(program: ProgramSpec): Names {
  const functionAt = (insn: Insn, index: number): string => {
    const name = program.functions.find((fn) => fn.start === index + insn.imm + 1)?.name
    return name === undefined ? '' : `#${name}`
  }
  const signed = (value: number): string => (value < 0 ? String(value) : `+${value}`)
  return {
    call(insn, index) {
      const reference = program.references.get(index)
      if (reference) return reference.name
      return insn.src === LOCAL_CALL ? `pc${signed(insn.imm)}${functionAt(insn, index)}` : undefined
    },
    imm64(insn, upper, index) {
      const reference = program.references.get(index)
      if (reference?.kind === 'map') return `map[${reference.name}]`
      if (reference?.kind === 'map_value') return `map[${reference.name}][0]+${upper.imm >>> 0}`
      if (reference) return `ksym[${reference.name}]`
      return insn.src === PSEUDO_FUNC ? `subprog[${signed(insn.imm)}]${functionAt(insn, index)}` : undefined
    },
  }
}
