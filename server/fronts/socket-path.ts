/**
 * Socket path: where the Unix sockets of a server with fronts are, in its data folder.
 */
import { join } from 'node:path'
import { ConfigError } from '../setting-table.ts'

/** The limit of macOS; that of Linux is a little higher. */
const MAX_PATH_BYTES = 103

/** @throws ConfigError if the system does not allow a socket with so long a path */
export function socketPath(dataDir: string, name: string): string {
  const path = join(dataDir, name)
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return path
  throw new ConfigError(
    `DATA_DIR is too long for FRONTS: ${path} must have at most ${MAX_PATH_BYTES} bytes, because it is a Unix socket; a relative DATA_DIR is shorter`,
  )
}
