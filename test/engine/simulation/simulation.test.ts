/**
 * Simulation (DESIGN, invariants): the whole engine under random users, devices, failures, in one
 * thread, each run made by its seed alone. `SEEDS=5000` for more, `SEED=17` to replay one.
 */
import { describe, it } from 'vitest'
import { Disk } from './disk.ts'
import { Simulation } from './simulation.ts'

const one = process.env['SEED']
const seeds = one
  ? [Number(one)]
  : Array.from({ length: Number(process.env['SEEDS'] ?? 500) }, (_, i) => i + 1)

describe('the engine under simulation', () => {
  it(
    `keeps its promises for ${one ? `seed ${one}` : `${seeds.length} seeds`}`,
    async () => {
      const image = Disk.image()
      for (const seed of seeds) await new Simulation(seed, image).run()
    },
    60_000 + seeds.length * 1_000,
  )
})
