/**
 * Fleet processes: the processes of a server with fronts, from the system (Linux, /proc).
 */
import { readFileSync } from 'node:fs'
import { until } from '../load/crowd.ts'
import { cpuSeconds, residentBytes } from '../load/process-figures.ts'

export interface FleetPids {
  readonly supervisor: number
  readonly engine: number
  readonly fronts: readonly number[]
}

/** The processes that run now; `engine` is 0 while none does. */
export function fleetPids(supervisor: number): FleetPids {
  const children = readFileSync(`/proc/${supervisor}/task/${supervisor}/children`, 'utf8').trim().split(' ')
  const withRole = (role: string) =>
    children.map(Number).filter((pid) => pid > 0 && commandOf(pid).includes(`--role\0${role}\0`))
  return { supervisor, engine: withRole('engine')[0] ?? 0, fronts: withRole('front') }
}

/** Resident memory of all of them. */
export function fleetBytes(supervisor: number): number {
  const { engine, fronts } = fleetPids(supervisor)
  return [supervisor, engine, ...fronts].reduce((sum, pid) => sum + residentBytes(pid), 0)
}

/** Cores that a process uses, on average over that time. */
export async function coresOf(pid: number, ms: number): Promise<number> {
  const [before, startedAt] = [cpuSeconds(pid), performance.now()]
  await new Promise((resolve) => setTimeout(resolve, ms))
  return (cpuSeconds(pid) - before) / ((performance.now() - startedAt) / 1_000)
}

/** Waits until that many fronts answer through the port. */
export async function allFrontsServe(port: number, fronts: number): Promise<void> {
  let serving = 0
  let asking = false
  const ask = async () => {
    asking = true
    const text = await fetch(`http://127.0.0.1:${port}/metrics`).then(
      (response) => response.text(),
      () => '',
    )
    serving = [...text.matchAll(/^tertulia_connections\{/gm)].length
    asking = false
  }
  await until(
    () => {
      if (serving < fronts && !asking) void ask()
      return serving >= fronts
    },
    () => `${serving} of ${fronts} fronts serve`,
  )
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    // It has ended.
    return ''
  }
}
