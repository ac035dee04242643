/**
 * What the running kernel says about itself: its version, the BTF ids of its functions and variables, which CPUs it has.
 * Its BTF is 5.5 MB; ids are found by walking over the records (5 to 10 ms), without making 130,000 objects.
 */
import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { BpfError, ByteReader, cString, ParseError } from '../bits/index.js'

/** Where Linux 5.4 and later publish their BTF. */
export const vmlinuxBtf = '/sys/kernel/btf/vmlinux'

/** `6.18.44` of `6.18.44-generic`. */
export function kernelVersion(): string {
  return /^\d+\.\d+(\.\d+)?/.exec(release())?.[0] ?? release()
}

/** BTF ids by name, for the kinds that programs refer to. */
export interface KernelSymbols {
  readonly func: ReadonlyMap<string, number>
  readonly var: ReadonlyMap<string, number>
  readonly typedef: ReadonlyMap<string, number>
  readonly struct: ReadonlyMap<string, number>
}

/** Bytes that follow the 12 of a type, by kind number: fixed, and for each of its `vlen` entries (Documentation/bpf/btf.rst). */
const trailing: readonly (readonly [fixed: number, each: number])[] = [
  [0, 0], // void
  [4, 0], // int
  [0, 0], // ptr
  [12, 0], // array
  [0, 12], // struct
  [0, 12], // union
  [0, 8], // enum
  [0, 0], // fwd
  [0, 0], // typedef
  [0, 0], // volatile
  [0, 0], // const
  [0, 0], // restrict
  [0, 0], // func
  [0, 8], // func_proto
  [4, 0], // var
  [0, 12], // datasec
  [0, 0], // float
  [4, 0], // decl_tag
  [0, 0], // type_tag
  [0, 12], // enum64
]
const wanted: Readonly<Record<number, keyof KernelSymbols>> = { 4: 'struct', 8: 'typedef', 12: 'func', 14: 'var' }

/** Walks a BTF blob and collects the ids; the first of each name counts. Throws `ParseError`. */
export function scanSymbols(bytes: Uint8Array): KernelSymbols {
  const found = { func: new Map(), var: new Map(), typedef: new Map(), struct: new Map() } satisfies {
    [Kind in keyof KernelSymbols]: Map<string, number>
  }
  const header = new ByteReader(bytes, 'BTF')
  const magic = header.u16()
  if (magic !== 0xeb9f) throw new ParseError('btf-bad-magic', 'this is not little-endian BTF', 0)
  header.u16()
  const [start, typeOffset, typeLength, stringOffset, stringLength] = [0, 0, 0, 0, 0].map(() => header.u32())
  const body = (offset = 0, length = 0) => new ByteReader(bytes, 'BTF').seek((start ?? 0) + offset).slice(length)
  const types = new ByteReader(body(typeOffset, typeLength), 'BTF', start)
  const strings = body(stringOffset, stringLength)
  for (let id = 1; types.left > 0; id += 1) {
    const name = types.u32()
    const info = types.u32()
    types.u32()
    const kind = (info >>> 24) & 0x1f
    const size = trailing[kind]
    if (!size) throw new ParseError('btf-bad-kind', `kind ${kind} is not known`, types.offset)
    types.slice(size[0] + size[1] * (info & 0xffff))
    const table = wanted[kind]
    if (!table || name === 0) continue
    const text = cString(strings, name)
    if (text !== undefined && !found[table].has(text)) found[table].set(text, id)
  }
  return found
}

let symbols: KernelSymbols | undefined

/** The running kernel's symbols, read once. Throws `BpfError` (`no-kernel-btf`) where the kernel publishes none. */
export function kernelSymbols(): KernelSymbols {
  if (symbols) return symbols
  let bytes: Uint8Array
  try {
    bytes = readFileSync(vmlinuxBtf)
  } catch (cause) {
    throw new BpfError(
      'no-kernel-btf',
      `cannot read ${vmlinuxBtf}: the kernel was built without CONFIG_DEBUG_INFO_BTF`,
      {
        cause,
      },
    )
  }
  symbols = scanSymbols(bytes)
  return symbols
}

/** How many CPUs the kernel may ever have: per-CPU values have one slot for each. */
export function possibleCpus(): number {
  const text = readFileSync('/sys/devices/system/cpu/possible', 'utf8').trim()
  const last = /(\d+)$/.exec(text)?.[1]
  return Number(last ?? 0) + 1
}
