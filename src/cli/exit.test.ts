import { expect, it } from 'vitest'
import { BpfError, ParseError } from '../bits/index.js'
import { TrapError } from '../machine/index.js'
import { ErrnoError } from '../uapi/index.js'
import { exitCodeOf, report, unsupported, usageError } from './exit.js'
import { createIo } from './io.js'

it.each([
  ['a wrong option', usageError('--set', 'no'), 2],
  ['a name that is not there', new BpfError('unknown-program', 'no'), 2],
  ['an unreadable object', new ParseError('elf-truncated', 'no', 7), 3],
  ['something for a later version', unsupported('explore'), 3],
  ['no right to ask the kernel', new ErrnoError(1, 'map_create'), 3],
  ['what the kernel would refuse', new ErrnoError(22, 'prog_test_run'), 1],
  [
    'a program that went wrong',
    new TrapError({ code: 'bad-address', sentence: 'no', program: 'p', insn: 1 }, undefined),
    1,
  ],
  ['work without an end', new BpfError('still-busy', 'no'), 1],
  ['a bug of ours', new TypeError('undefined is not a function'), 70],
])('%s', (_, error, code) => {
  expect(exitCodeOf(error)).toBe(code)
})

it('tells a refusal in a line and a bug with its stack', () => {
  const told = (error: unknown): string => {
    let text = ''
    report(
      error,
      createIo(
        () => {},
        (line) => {
          text += line
        },
        false,
      ),
    )
    return text
  }
  expect(told(new ParseError('elf-truncated', 'the header ends early', 17))).toBe(
    'workerbee: offset 17: the header ends early [elf-truncated]\n',
  )
  expect(told(new TypeError('boom'))).toMatch(/this is a bug of Workerbee[\s\S]*boom[\s\S]*exit\.test/)
})
