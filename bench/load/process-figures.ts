/**
 * Process figures: what the operating system counts of another process (Linux, /proc).
 *
 * A rate says little without who was busy: where the load itself fills a core, it is the load that
 * was measured. So cases report how many cores each side kept busy.
 */
import { readFileSync } from 'node:fs'

/** Clock ticks a second in /proc/<pid>/stat: 100 on every Linux that Node runs on. */
const TICKS_A_SECOND = 100

/** Resident memory, bytes. */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib) * 1024
}

/** Processor time used so far, of all threads, seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // After the command in parentheses: state is field 3, utime and stime are 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND
}

/** Starts to watch the server and this load process; what it gives back ends the watch. */
export function watchCores(
  pid: number,
): () => { readonly 'server cores': number; readonly 'load cores': number } {
  const startedAt = performance.now()
  const serverBefore = cpuSeconds(pid)
  const loadBefore = process.cpuUsage()
  return () => {
    const seconds = (performance.now() - startedAt) / 1_000
    const { user, system } = process.cpuUsage(loadBefore)
    return {
      'server cores': (cpuSeconds(pid) - serverBefore) / seconds,
      'load cores': (user + system) / 1_000_000 / seconds,
    }
  }
}
