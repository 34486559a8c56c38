/**
 * Usage: processor time of the server, of the load and of everybody else during one measurement.
 */
import { cpuSeconds, watchCores } from '../../load/process-figures.ts'

export interface Usage {
  readonly seconds: number
  readonly serverSeconds: number
  /** Cores that the load process used: near 1, the load is the limit. */
  readonly loadCores: number
  /** Cores that other programs used. */
  readonly otherCores: number
}

/** Starts to measure; the returned function ends it. */
export function watchUsage(pid: number): () => Usage {
  const before = cpuSeconds(pid)
  const startedAt = performance.now()
  const coresBusy = watchCores(pid)
  return () => {
    const cores = coresBusy()
    return {
      seconds: (performance.now() - startedAt) / 1_000,
      serverSeconds: cpuSeconds(pid) - before,
      loadCores: cores['load cores'],
      otherCores: cores['other cores'],
    }
  }
}
