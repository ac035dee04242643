/**
 * Text to instructions: the syntax that `disassemble` prints, one instruction a line. Slot numbers (`12:`) and opcode bytes
 * (`(b7)`) may stand in front; a byte that contradicts the text is an error. On top of the kernel's syntax there are
 * labels (`again:` ... `goto again`, `call sum`, `r1 = subprog[sum]`), comments (`;` or `//` to the end of the line),
 * helpers by bare name, and `r1 = 5 ll` for a 64-bit immediate load, as LLVM writes it (`(18) r1 = 0x5` says the same).
 */
import type { Insn } from './insn.js'
import { isWide } from './opcodes.js'
import { Scanner, scanError } from './scanner.js'
import { type Statement, statement } from './statements.js'

/** A label that waits for its place. */
interface Reference {
  readonly slot: number
  readonly label: NonNullable<Statement['label']>
}

/** The slots of a statement; a label leaves its field 0. */
function slots(from: Statement): Insn[] {
  const { row } = from
  const fields = { dst: from.dst ?? 0, src: from.src ?? 0, off: from.off ?? 0, imm: from.imm ?? 0 }
  const insn: Insn = { code: row.code, ...fields }
  if (row.selector) insn[row.selector.field] = row.selector.value
  return isWide(insn) ? [insn, { code: 0, dst: 0, src: 0, off: 0, imm: from.upper ?? 0 }] : [insn]
}

/** Reads what may stand before a statement: labels (collected), slot numbers (ignored), the opcode byte (returned). */
function prefix(scan: Scanner, slot: number, labels: Map<string, number>): number | undefined {
  for (;;) {
    if (scan.match(/\d+:/y) !== undefined) continue
    const spot = scan.spot()
    const name = scan.match(/([A-Za-z_][\w.]*):/y)
    if (name === undefined) break
    if (labels.has(name)) throw scan.error(`label ${name} stands twice`, spot)
    labels.set(name, slot)
  }
  const byte = scan.match(/\(([0-9a-fA-F]{2})\)/y)
  return byte === undefined ? undefined : Number.parseInt(byte, 16)
}

/**
 * Assembles a program. Throws `ParseError` (`asm-syntax`) with line and column; its `offset` is the character in `text`.
 */
export function assemble(text: string): Insn[] {
  const insns: Insn[] = []
  const labels = new Map<string, number>()
  const references: Reference[] = []
  let base = 0
  text.split('\n').forEach((line, index) => {
    const scan = new Scanner(line.replace(/(?:;|\/\/).*$|\r$/, ''), index + 1, base)
    base += line.length + 1
    const byte = prefix(scan, insns.length, labels)
    if (byte === undefined && scan.done()) return
    const spot = scan.spot()
    const parsed = statement(scan, byte === 0x18)
    if (!scan.done()) throw scan.error('end of line expected')
    if (byte !== undefined && byte !== parsed.row.code) {
      throw scan.error(`this is opcode ${parsed.row.code.toString(16).padStart(2, '0')}`, spot)
    }
    if (parsed.label) references.push({ slot: insns.length, label: parsed.label })
    insns.push(...slots(parsed))
  })
  for (const { slot, label } of references) {
    const at = labels.get(label.name)
    if (at === undefined) throw scanError(`there is no label ${label.name}`, label.spot)
    const insn = insns[slot]
    const distance = at - slot - 1
    if (label.field === 'off' && (distance < -0x8000 || distance > 0x7fff)) {
      throw scanError(`label ${label.name} is ${distance} slots away, too far for 16 bits`, label.spot)
    }
    if (insn) insn[label.field] = distance
  }
  return insns
}
