/** `workerbee dump cfg` and `dump wasm`: what the compiler makes of a program, as text. */
import { cfgToDot, describeCfg, describeModule } from '../engine/index.js'
import { Machine } from '../machine/index.js'
import { relocate } from '../machine/relocate.js'
import type { ObjectSpec, ProgramSpec } from '../object/index.js'
import { NULL_PAGE_END } from '../runtime/index.js'

/** The control-flow graphs of a program's functions; `dot` in the language of Graphviz. */
export function showGraph(program: ProgramSpec, dot: boolean): string {
  // The graph does not depend on what addresses are and who is called.
  const address = () => NULL_PAGE_END
  const call = () => ({ kind: 'host', id: 0 }) as const
  const code = relocate(program, 0, { map: address, mapValue: address, ksym: address, helper: call, kfunc: call })
  return (dot ? cfgToDot(code) : describeCfg(code)).trimEnd()
}

/** The module that a machine would make of a program, its maps and their addresses included. */
export async function showModule(spec: ObjectSpec, program: ProgramSpec): Promise<string> {
  let text = ''
  const compile = (bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module => {
    text = describeModule(bytes)
    return new WebAssembly.Module(bytes)
  }
  const machine = new Machine({ engine: 'compiler', timelineLimit: 0, compile })
  try {
    await machine.load(spec, { programs: [program.name], verify: false })
    return text.trimEnd()
  } finally {
    await machine.close()
  }
}
