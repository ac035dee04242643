#!/usr/bin/env node
import { createIo, main } from '../dist/cli/main.js'

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 70))

const colored = process.env.NO_COLOR === undefined && (process.env.FORCE_COLOR !== undefined || process.stdout.isTTY)
const io = createIo(
  (text) => process.stdout.write(text),
  (text) => process.stderr.write(text),
  Boolean(colored),
  (text) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${text}`),
)
process.exitCode = await main(process.argv.slice(2), io)
