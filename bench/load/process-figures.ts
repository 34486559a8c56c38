/**
 * Process figures: the resources that another process uses, from the operating system (Linux, /proc).
 *
 * If the load itself uses a whole core, the load was measured and not the server. Therefore, cases report
 * how many cores each side used.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** Clock ticks per second in /proc/<pid>/stat: 100 on every Linux that Node runs on. */
const TICKS_A_SECOND = 100

/** Resident memory, bytes. */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib) * 1024
}

/** V8 collects what a burst has left after 8 seconds without work, in more than one step. */
const IDLE_MS = 30_000

/** Resident memory after a time without work, bytes. */
export async function idleBytes(pid: number): Promise<number> {
  await delay(IDLE_MS)
  return residentBytes(pid)
}

/** Processor time used so far, of all threads, seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // After the command in parentheses: state is field 3, utime and stime are 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND
}

/** Busy cores, on average. */
export interface Cores {
  readonly 'server cores': number
  readonly 'load cores': number
  /** Of all other processes on the machine; if it is not near 0, the figures are not valid. */
  readonly 'other cores': number
}

/** Starts to measure the server, this load process and the machine; the returned function ends it and returns the figures. */
export function watchCores(pid: number): () => Cores {
  const startedAt = performance.now()
  const before = { server: cpuSeconds(pid), load: cpuSeconds(process.pid), all: machineSeconds() }
  return () => {
    const seconds = (performance.now() - startedAt) / 1_000
    const server = cpuSeconds(pid) - before.server
    const load = cpuSeconds(process.pid) - before.load
    const all = machineSeconds() - before.all
    return {
      'server cores': server / seconds,
      'load cores': load / seconds,
      'other cores': Math.max(0, all - server - load) / seconds,
    }
  }
}

/** Processor time used so far by all processes of the machine, seconds. */
function machineSeconds(): number {
  const line = /^cpu +(.+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? ''
  // user nice system idle iowait irq softirq steal; the rest is counted in user and nice already.
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line.split(' ').map(Number)
  return (user + nice + system + irq + softirq + steal) / TICKS_A_SECOND
}
