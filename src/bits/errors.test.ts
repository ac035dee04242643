import { expect, it } from 'vitest'
import { BpfError, ParseError } from './errors.js'

it('says place and sentence in one line and keeps the cause', () => {
  const cause = new Error('inner')
  const error = new BpfError('unknown-helper', 'no helper has number 999', { place: 'instruction 3', cause })
  expect(error.message).toBe('instruction 3: no helper has number 999')
  expect(error).toMatchObject({ name: 'BpfError', code: 'unknown-helper', place: 'instruction 3', cause })
})

it('names the byte at which reading failed', () => {
  const error = new ParseError('elf-truncated', 'the header ends early', 17)
  expect(error).toBeInstanceOf(BpfError)
  expect(error).toMatchObject({ offset: 17, place: 'offset 17', message: 'offset 17: the header ends early' })
})
