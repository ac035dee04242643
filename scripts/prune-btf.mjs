// Cuts the running kernel's BTF (5.5 MB) down to what the verifier asks of it, and writes src/profile/v6_18/btf.ts: context
// structs with their members, kfunc prototypes, and every struct that these point to by name and size only. Needs a build.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const dist = process.env.WORKERBEE_DIST ?? join(root, 'dist')
const { btfBuilder, parseBtf } = await import(join(dist, 'btf/index.js'))
const vmlinux = parseBtf(new Uint8Array(readFileSync('/sys/kernel/btf/vmlinux')))

/** Structs that programs see as their contexts, or read through them. */
const whole = new Set(
  `__sk_buff xdp_md bpf_sock bpf_sock_addr bpf_sock_ops bpf_sock_tuple bpf_tcp_sock bpf_flow_keys sk_msg_md sk_reuseport_md
  bpf_sk_lookup bpf_sysctl bpf_sockopt bpf_cgroup_dev_ctx bpf_perf_event_data bpf_nf_ctx bpf_raw_tracepoint_args pt_regs
  bpf_user_pt_regs_t bpf_wq bpf_timer bpf_spin_lock bpf_dynptr bpf_iter_num bpf_list_head bpf_list_node bpf_rb_root bpf_rb_node
  bpf_refcount bpf_task_work`.split(/\s+/),
)

const builder = btfBuilder()
const ids = new Map([[0, 0]])
const copy = (id) => {
  const known = ids.get(id)
  if (known !== undefined) return known
  const { id: _, ...type } = vmlinux.type(id)
  const isStruct = type.kind === 'struct' || type.kind === 'union'
  // Structs may point to themselves; everything else is copied bottom up, so that equal types are shared.
  if (isStruct) {
    const own = builder.reserve()
    ids.set(id, own)
    const keep = whole.has(type.name) || type.name === ''
    const members = keep ? type.members.map((member) => ({ ...member, type: copy(member.type) })) : []
    builder.define(own, { ...type, members })
    return own
  }
  const content = { ...type }
  if ('type' in content) content.type = copy(content.type)
  if ('indexType' in content) content.indexType = copy(content.indexType)
  if ('returnType' in content) content.returnType = copy(content.returnType)
  if ('params' in content) content.params = content.params.map((param) => ({ ...param, type: copy(param.type) }))
  const own = builder.add(content)
  ids.set(id, own)
  return own
}

for (const name of whole)
  for (const id of vmlinux.find(name)) if (/struct|union|typedef/.test(vmlinux.type(id).kind)) copy(id)
let kfuncs = 0
for (const type of vmlinux.types) {
  if (type.kind !== 'decl_tag' || type.name !== 'bpf_kfunc') continue
  copy(type.type)
  kfuncs++
}
const bytes = builder.finish()
const file = join(root, 'src/profile/v6_18/btf.ts')
writeFileSync(
  file,
  `/**
 * The BTF of Linux 6.18 cut down to contexts and kfunc prototypes, made by scripts/prune-btf.mjs: ${bytes.length} bytes, in base64.
 */
export const prunedBtf =
  '${Buffer.from(bytes).toString('base64')}'
`,
)
console.log(`${kfuncs} kfuncs, ${builder.types().length} types, ${bytes.length} bytes -> ${file}`)
