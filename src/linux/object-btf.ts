/**
 * The object's BTF as the kernel takes it. Clang and the loader use BTF for more than the kernel knows: externs are listed
 * in `.ksyms`, map definitions in `.maps`, and the kernel refuses both (extern linkage, sections without size). Ids must stay,
 * since programs and maps refer to them, so what is refused is replaced in place by something harmless.
 */
import { type Btf, type BtfType, encodeBtf } from '../btf/index.js'

/** Sections that are for the loader only. */
const loaderSections = new Set(['.maps', '.ksyms', 'license', 'version'])

/** The types, with what Linux refuses replaced. */
export function sanitizeBtf(btf: Btf, keep: ReadonlySet<number>): BtfType[] {
  const plain = (id: number): BtfType => ({
    ...{ kind: 'int', id, name: 'loader_section', size: 4, bits: 32, bitOffset: 0 },
    ...{ signed: false, char: false, bool: false },
  })
  return btf.types.map((type): BtfType => {
    if (type.kind === 'datasec' && !keep.has(type.id)) {
      // Sections that no map stands for: of the loader, or empty.
      if (loaderSections.has(type.name) || type.size === 0) return plain(type.id)
    }
    if (type.kind === 'func' && type.linkage === 'extern') return { ...type, linkage: 'global' }
    if (type.kind === 'var' && type.linkage === 'extern') return { ...type, linkage: 'global' }
    if (type.kind === 'func_proto') {
      const dots = type.params.at(-1)
      return {
        ...type,
        params: type.params.map((param, i) =>
          param.name || (param === dots && param.type === 0) ? param : { ...param, name: `arg${i}` },
        ),
      }
    }
    return type
  })
}

/** A BTF blob to which strings can be added: line records name file and text by string offset. */
export interface BtfBlob {
  /** The offset of this string, adding it where needed. */
  string(text: string): number
  finish(): Uint8Array
}

/** Encodes the types. */
export function btfBlob(types: readonly BtfType[]): BtfBlob {
  const base = encodeBtf(types)
  const view = new DataView(base.buffer)
  const stringLength = view.getUint32(20, true)
  const added = new Map<string, number>([['', 0]])
  const extra: Uint8Array[] = []
  let end = stringLength
  return {
    string(text) {
      const known = added.get(text)
      if (known !== undefined) return known
      const bytes = new TextEncoder().encode(`${text}\0`)
      const offset = end
      added.set(text, offset)
      extra.push(bytes)
      end += bytes.length
      return offset
    },
    finish() {
      const blob = new Uint8Array(base.length + end - stringLength)
      blob.set(base)
      let at = base.length
      for (const bytes of extra) {
        blob.set(bytes, at)
        at += bytes.length
      }
      // The strings are the last section of what encodeBtf writes.
      new DataView(blob.buffer).setUint32(20, end, true)
      return blob
    },
  }
}
