// The part of the plugin that runs the program: posts R0 in hexadecimal, or what went wrong.
import { parentPort, workerData } from 'node:worker_threads'
import { bareProgram, createCompiler, createInterpreter } from '../../dist/engine/index.js'
import { decode } from '../../dist/isa/index.js'

const { program, memory, engine, budget } = workerData
try {
  const make = engine === 'compiler' ? createCompiler : createInterpreter
  const r0 = bareProgram(decode(program), { input: memory, engine: make }).run(budget)
  parentPort.postMessage({ r0: r0.toString(16) })
} catch (error) {
  if (!error.code) throw error
  parentPort.postMessage({ error: `${error.code}: ${error.message}` })
}
