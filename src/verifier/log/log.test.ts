import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createLog, maxLogLength } from './log.js'

it('takes back what was written after a position', () => {
  const log = createLog(1)
  log.write('kept\n')
  const { position } = log
  log.write('taken back\n')
  log.truncate(position)
  log.write('more\n')
  expect(log.text).toBe('kept\nmore\n')
})

it('is empty at level 0', () => {
  const log = createLog(0)
  log.write('nothing')
  expect([log.text, log.position]).toEqual(['', 0])
})

it('drops the oldest beyond its limit, and positions stay valid', () => {
  const log = createLog(2)
  const chunk = `${'x'.repeat((1 << 20) - 1)}\n`
  for (let i = 0; i < 40; i++) log.write(chunk)
  const { position } = log
  expect(position).toBe(40 << 20)
  expect(log.text.length).toBeLessThanOrEqual(maxLogLength)
  log.write('tail')
  log.truncate(position)
  expect(log.text.endsWith('x\n')).toBe(true)
  log.truncate(0)
  expect([log.text, log.position]).toEqual(['', 0])
})

it('keeps what a plain string would keep, however it is written and taken back', () => {
  const step = fc.oneof(fc.string({ maxLength: 5 }), fc.nat(40))
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const log = createLog(2)
      let plain = ''
      for (const each of steps) {
        if (typeof each === 'string') {
          log.write(each)
          plain += each
        } else {
          log.truncate(each)
          plain = plain.slice(0, each)
        }
        expect([log.text, log.position]).toEqual([plain, plain.length])
      }
    }),
  )
})
