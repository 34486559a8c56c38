/**
 * Run seeds: the seeds of a test run, a part of them in each test file, so that the parts run at
 * once. `SEEDS=5000` for more of them, `SEED=17` to replay one.
 */
import { describe, it } from 'vitest'
import { Disk } from './disk.ts'
import { Simulation } from './simulation.ts'

const SEEDS = 500
/** Far more than a seed takes: the limit is for what hangs. */
const MAX_MS_A_SEED = 2_000

/** Tests the part `part` of `parts`; a failure tells its seed. */
export function testSeeds(part: number, parts: number): void {
  const one = process.env['SEED']
  const count = Number(process.env['SEEDS'] ?? SEEDS)
  const seeds = one
    ? [Number(one)].filter(() => part === 0)
    : Array.from({ length: count }, (_, i) => i + 1).filter((seed) => seed % parts === part)

  describe.runIf(seeds.length > 0)('the engine under simulation', () => {
    it(
      one ? `keeps its promises for seed ${one}` : `keeps its promises for ${seeds.length} seeds`,
      async () => {
        const image = Disk.image()
        for (const seed of seeds) await new Simulation(seed, image).run()
      },
      30_000 + seeds.length * MAX_MS_A_SEED,
    )
  })
}
