/**
 * Run seeds: the seeds of a test run. Each test file runs a part of them, so that the parts run in
 * parallel. `SEEDS=5000` runs more seeds, as CI does with 500; `SEED=17` replays one; `ACTIONS=800` makes each
 * of them longer, which makes another run of it.
 */
import { describe, it } from 'vitest'
import { Disk } from './disk.ts'
import { Simulation } from './simulation.ts'

const SEEDS = 200
/** Far more than a seed needs: the limit is for runs that hang. */
const MAX_MS_A_SEED = 5_000

/** Runs part `part` of `parts`; a failure names its seed. */
export function testSeeds(part: number, parts: number): void {
  const one = process.env['SEED']
  const count = Number(process.env['SEEDS'] ?? SEEDS)
  const actions = process.env['ACTIONS']
  const seeds = one
    ? [Number(one)].filter(() => part === 0)
    : Array.from({ length: count }, (_, i) => i + 1).filter((seed) => seed % parts === part)

  describe.runIf(seeds.length > 0)('the engine under simulation', () => {
    it(
      one ? `fulfils the invariants for seed ${one}` : `fulfils the invariants for ${seeds.length} seeds`,
      async () => {
        const image = Disk.image()
        for (const seed of seeds)
          await new Simulation(seed, image, actions ? Number(actions) : undefined).run()
      },
      30_000 + seeds.length * MAX_MS_A_SEED,
    )
  })
}
