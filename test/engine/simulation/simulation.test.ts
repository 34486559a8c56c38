/**
 * Simulation: the whole engine with random users, devices and failures, in one
 * thread. Each run is determined by its seed alone. This is the first half of the seeds.
 */
import { expect, it } from 'vitest'
import { Disk } from './disk.ts'
import { testSeeds } from './run-seeds.ts'
import { Simulation } from './simulation.ts'

testSeeds(0, 2)

it('gives the same result for the same seed, and another for another seed', async () => {
  const image = Disk.image()
  const first = await new Simulation(11, image).run()
  expect(await new Simulation(11, image).run()).toBe(first)
  expect(await new Simulation(12, image).run()).not.toBe(first)
})
