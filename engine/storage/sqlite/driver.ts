/**
 * Driver: loads better-sqlite3 if its major version supports this version of Node.
 *
 * Version 12 aborts the process on Node 24 and later. Version 13, whose binaries need no compiler and no
 * install script, needs Node 22 and crashes on Node 20. npm installs the right version in a new project,
 * but a lock file or a node_modules folder of another Node may contain the wrong one. Therefore, the
 * version is checked before the library is loaded: an error message instead of a crash.
 */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** @throws Error if this version of better-sqlite3 crashes on this version of Node. */
export function checkDriver(driverVersion: string, nodeVersion: string): void {
  const [driver = 0, node = 0] = [driverVersion, nodeVersion].map((version) => Number.parseInt(version, 10))
  if (node >= 22 ? driver >= 13 || node === 22 : driver <= 12) return
  const fits = node >= 22 ? 13 : 12
  throw new Error(
    `better-sqlite3 ${driverVersion} does not run on Node ${nodeVersion}: install the dependencies again with this Node, or better-sqlite3@${fits}`,
  )
}

checkDriver((require('better-sqlite3/package.json') as { version: string }).version, process.versions.node)

export const Database = require('better-sqlite3') as typeof import('better-sqlite3')
