/**
 * Socket path: where the Unix sockets of a server with fronts are, in its data folder.
 */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '../setting-table.ts'

/** The limit of macOS; that of Linux is a little higher. */
const MAX_PATH_BYTES = 103

/** The socket of the front with that process id. */
export function frontSocket(dataDir: string, pid: number): string {
  return socketPath(dataDir, `front-${pid}.sock`)
}

/** Removes the sockets of fronts that were killed together with their supervisor. */
export function removeFrontSockets(dataDir: string): void {
  for (const name of readdirSync(dataDir)) {
    const pid = /^front-(\d+)\.sock$/.exec(name)?.[1]
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(dataDir, name), { force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** @throws ConfigError if the system does not allow a socket with so long a path */
export function socketPath(dataDir: string, name: string): string {
  const path = join(dataDir, name)
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return path
  throw new ConfigError(
    `DATA_DIR is too long for FRONTS: ${path} must have at most ${MAX_PATH_BYTES} bytes, because it is a Unix socket; a relative DATA_DIR is shorter`,
  )
}
