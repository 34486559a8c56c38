/** The second half of the seeds of `simulation.test.ts`. */
import { testSeeds } from './run-seeds.ts'

testSeeds(1, 2)
