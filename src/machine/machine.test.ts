import { expect, it } from 'vitest'
import { call, object } from '../../test/support/machine.js'
import { Machine } from './index.js'

it('runs a program, its globals and its result', async () => {
  await using machine = new Machine()
  const spec = object('basics')
  spec.variables.step = 5
  const app = await machine.load(spec)
  expect(app.programs.add?.run()).toEqual({ retval: 45 })
  app.globals.total = 100n
  expect(app.programs.add?.run().retval).toBe(105)
  expect(app.globals).toMatchObject({ total: 105n, calls: 2, step: 5 })
  expect(() => {
    app.globals.step = 6
  }).toThrow(expect.objectContaining({ errno: 1, operation: 'map_update_elem' }))
})

it('prints', async () => {
  await using machine = new Machine()
  const app = await machine.load(object('basics'))
  expect(app.programs.print?.run().retval).toBe(0xffff_ffea)
  expect(machine.printk).toEqual(['hello 42 you', '1 2 3 4'])
})

it('fires', async () => {
  await using machine = new Machine()
  const app = await machine.load(object('wq'))
  expect(call(app, 'arm_array', { key: 3 })).toBe(0)
  expect(machine.pending).toEqual([{ kind: 'wq', map: 'array', key: 3, callback: 'tick', cpu: 0 }])
  expect(machine.inspect('array', 3)).toMatchObject({ work: { state: 'pending', callback: 'tick', starts: 1 } })
  machine.runUntilIdle()
  expect(app.globals).toMatchObject({ fired: 1n, last_key: 3n })
  expect(machine.timeline).toHaveLength(3)
})
