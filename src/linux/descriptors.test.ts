import { closeSync, openSync } from 'node:fs'
import { expect, it } from 'vitest'
import { descriptors } from './descriptors.js'

const open = () => openSync('/dev/null', 'r')

it('closes each descriptor once, though its number has a new owner', () => {
  const fds = descriptors()
  const first = fds.own(open())
  expect(fds.open).toBe(1)
  fds.close(first)
  const reused = open()
  expect(reused).toBe(first)
  fds.close(first)
  fds.closeAll()
  // Still open: closing it again would throw otherwise.
  closeSync(reused)
})

it('knows that it was closed for good', () => {
  const fds = descriptors()
  const fd = fds.own(open())
  expect(fds.closed).toBe(false)
  fds.closeAll()
  expect(fds).toMatchObject({ closed: true, open: 0 })
  expect(() => closeSync(fd)).toThrow(/EBADF/)
})
