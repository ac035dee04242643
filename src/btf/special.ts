/**
 * Finds the fields that the kernel manages itself inside a map value: locks, timers, workqueues, task work, kernel
 * pointers, lists and trees. Which declarations count was observed on Linux 6.18 and is narrower than C suggests: only a
 * struct of the exact name and size, at a multiple of 8 (4 for locks), as a direct member or inside plain structs and
 * arrays - never through a typedef, a qualifier or a union, and never the value type itself.
 *
 * A value with two timers, or with overlapping fields, is no error for map creation: the kernel swallows it and the map
 * has no special field at all. `swallowed` then says why, and using the map is refused later.
 */
import type { BtfTypeOf } from './kinds.js'
import type { Btf, BtfType } from './types.js'

/** What a special field is. The first eight are structs with these names, the last three pointers tagged in C. */
export type SpecialKind =
  | 'bpf_spin_lock'
  | 'bpf_res_spin_lock'
  | 'bpf_timer'
  | 'bpf_wq'
  | 'bpf_task_work'
  | 'bpf_list_head'
  | 'bpf_list_node'
  | 'bpf_rb_root'
  | 'bpf_rb_node'
  | 'bpf_refcount'
  | 'kptr_untrusted'
  | 'kptr'
  | 'percpu_kptr'
  | 'uptr'

/** One special field: offset and size in bytes from the start of the value. */
export interface SpecialField {
  readonly kind: SpecialKind
  readonly offset: number
  readonly size: number
}

/** The special fields of a value type, by offset; or none, with the error that the kernel keeps to itself. */
export interface SpecialFields {
  readonly fields: readonly SpecialField[]
  /** Why the kernel finds none although there are some: the name of its errno and a sentence. */
  readonly swallowed: { readonly errno: 'E2BIG' | 'EINVAL' | 'EEXIST'; readonly sentence: string } | undefined
}

interface Rule {
  readonly size: number
  readonly align: number
  /** At most one in a value. */
  readonly unique: boolean
}

const STRUCTS: Readonly<Record<string, Rule>> = {
  bpf_spin_lock: { size: 4, align: 4, unique: true },
  bpf_res_spin_lock: { size: 4, align: 4, unique: true },
  bpf_timer: { size: 16, align: 8, unique: true },
  bpf_wq: { size: 16, align: 8, unique: true },
  bpf_task_work: { size: 8, align: 8, unique: true },
  bpf_list_head: { size: 16, align: 8, unique: false },
  bpf_list_node: { size: 24, align: 8, unique: false },
  bpf_rb_root: { size: 16, align: 8, unique: false },
  bpf_rb_node: { size: 32, align: 8, unique: false },
  bpf_refcount: { size: 4, align: 4, unique: true },
}

/** Pointer members are special where C tags them: `__kptr`, `__kptr_untrusted`, `__percpu_kptr`, `__uptr`. */
const TAGS: Readonly<Record<string, SpecialKind>> = {
  kptr: 'kptr',
  kptr_untrusted: 'kptr_untrusted',
  percpu_kptr: 'percpu_kptr',
  uptr: 'uptr',
}
const POINTER_SIZE = 8
/** `BTF_FIELDS_MAX`. */
const MOST = 11
/** Nested structs are looked into this deep (`MAX_RESOLVE_DEPTH`). */
const DEEPEST = 32

const NONE: SpecialFields = { fields: [], swallowed: undefined }

/** The names of structs that are special in a map value. */
export const specialStructs: ReadonlySet<string> = new Set(Object.keys(STRUCTS))

/** Raised inside the search and caught at its top: the kernel's own silent failure. */
interface Failure {
  readonly errno: 'E2BIG' | 'EINVAL' | 'EEXIST'
  readonly sentence: string
}

/**
 * The special fields of a map's value type (a struct, or the DATASEC of global data); none for any other type. Since
 * Linux 5.1 for locks, 5.15 timers, 6.10 workqueues, 6.18 task work.
 */
export function specialFields(btf: Btf, valueTypeId: number): SpecialFields {
  const type = btf.types[valueTypeId]
  if (!type) return NONE
  const found: SpecialField[] = []
  const failure = type.kind === 'datasec' ? ofSection(btf, type, found) : ofStruct(btf, type, 0, found)
  const swallowed = failure ?? overlap(found) ?? twoLocks(found)
  if (swallowed) return { fields: [], swallowed }
  const last = found.filter(
    (field, i) => !STRUCTS[field.kind]?.unique || !found.some((f, j) => j > i && f.kind === field.kind),
  )
  return { fields: last.sort((a, b) => a.offset - b.offset), swallowed: undefined }
}

function ofSection(btf: Btf, type: BtfTypeOf<'datasec'>, found: SpecialField[]): Failure | undefined {
  const seen = new Set<SpecialKind>()
  for (const { type: id, offset, size } of type.vars) {
    const variable = btf.type(id)
    if (variable.kind !== 'var') continue
    const failure = ofMember(btf, variable.type, offset, 0, seen, found, size)
    if (failure) return failure
  }
  return undefined
}

/** Each struct has its own memory of what it saw: up to 6.18 two nested structs may hold one each, and the last counts. */
function ofStruct(btf: Btf, type: BtfType, depth: number, found: SpecialField[]): Failure | undefined {
  if (type.kind !== 'struct') return undefined
  if (depth >= DEEPEST) return { errno: 'E2BIG', sentence: 'structs nest too deep' }
  const seen = new Set<SpecialKind>()
  for (const member of type.members) {
    if (member.bitSize > 0 || member.bitOffset % 8) continue
    const failure = ofMember(btf, member.type, member.bitOffset / 8, depth, seen, found)
    if (failure) return failure
  }
  return undefined
}

/** A member or variable: the fields that it is or contains; in an array they repeat, which a unique kind cannot. */
function ofMember(
  btf: Btf,
  id: number,
  offset: number,
  depth: number,
  seen: Set<SpecialKind>,
  found: SpecialField[],
  declared?: number,
): Failure | undefined {
  let type = btf.type(id)
  let count = 1
  while (type.kind === 'array') {
    count *= type.length
    type = btf.type(type.type)
  }
  if (count === 0) return undefined
  const match = recognise(btf, type)
  const inner: SpecialField[] = []
  if (match) {
    const { kind, rule } = match
    if (declared !== undefined && declared !== rule.size * count) return undefined
    if (offset % rule.align) return undefined
    if (rule.unique && seen.has(kind)) return twice(kind)
    seen.add(kind)
    inner.push({ kind, offset: 0, size: rule.size })
  } else {
    const failure = ofStruct(btf, type, depth + 1, inner)
    if (failure) return failure
  }
  const single = count > 1 && inner.find((field) => STRUCTS[field.kind]?.unique)
  if (single) return { ...twice(single.kind), errno: 'EINVAL' }
  if (found.length + inner.length * count > MOST)
    return { errno: 'E2BIG', sentence: `more than ${MOST} special fields` }
  if (inner.length === 0) return undefined
  const stride = 'size' in type ? type.size : POINTER_SIZE
  for (let i = 0; i < count; i++) {
    for (const field of inner) found.push({ ...field, offset: offset + i * stride + field.offset })
  }
  return undefined
}

function twice(kind: SpecialKind): Failure {
  return { errno: 'E2BIG', sentence: `more than one ${kind} in a value` }
}

function recognise(btf: Btf, type: BtfType): { kind: SpecialKind; rule: Rule } | undefined {
  if (type.kind === 'struct') {
    const rule = Object.hasOwn(STRUCTS, type.name) ? STRUCTS[type.name] : undefined
    return rule && rule.size === type.size ? { kind: type.name as SpecialKind, rule } : undefined
  }
  if (type.kind !== 'ptr') return undefined
  const tag = btf.type(type.type)
  const kind = tag.kind === 'type_tag' && Object.hasOwn(TAGS, tag.name) ? TAGS[tag.name] : undefined
  return kind && { kind, rule: { size: POINTER_SIZE, align: 8, unique: false } }
}

function overlap(found: readonly SpecialField[]): Failure | undefined {
  const sorted = [...found].sort((a, b) => a.offset - b.offset)
  for (let i = 1; i < sorted.length; i++) {
    const [before, after] = [sorted[i - 1], sorted[i]]
    if (before && after && before.offset + before.size > after.offset) {
      return { errno: 'EEXIST', sentence: `${before.kind} and ${after.kind} overlap` }
    }
  }
  return undefined
}

function twoLocks(found: readonly SpecialField[]): Failure | undefined {
  const has = (kind: SpecialKind): boolean => found.some((field) => field.kind === kind)
  const both = has('bpf_spin_lock') && has('bpf_res_spin_lock')
  return both ? { errno: 'EINVAL', sentence: 'bpf_spin_lock and bpf_res_spin_lock in one value' } : undefined
}
