/**
 * Simulation (DESIGN, invariants): the whole engine under random users, devices and failures, in
 * one thread, each run made by its seed alone. This is the first half of the seeds.
 */
import { testSeeds } from './run-seeds.ts'

testSeeds(0, 2)
