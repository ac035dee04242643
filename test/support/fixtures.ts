/** Objects of `src/object/testdata`: the same sources compiled by clang 14, 16 and 19. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './paths.js'

/** The bytes of a fixture: `maps.clang19`. */
export function fixture(name: string): Uint8Array {
  return readFileSync(join(root, 'src/object/testdata', `${name}.bpf.o`))
}
