/**
 * SQLite for Node: on Node 20, better-sqlite3 12 in place of the locked version 13, which needs Node 22.
 *
 * A lock file has one version for all. Outside this repository npm chooses by Node's version; here
 * the build does. From Node 22 on it does nothing.
 */
import { execSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

const NODE_20 = 'better-sqlite3@12.11.1'

/** Replaces what `npm ci` installed, where this Node cannot run it. */
export function fitSqlite(root) {
  const installed = `${root}/node_modules/better-sqlite3/package.json`
  if (Number.parseInt(process.versions.node, 10) >= 22 || !existsSync(installed)) return
  if (JSON.parse(readFileSync(installed, 'utf8')).version.startsWith('12.')) return
  console.log(`Node ${process.version}: ${NODE_20} is installed in place of version 13, which needs Node 22`)
  execSync(`npm install --no-save --no-audit --no-fund ${NODE_20}`, { cwd: root, stdio: 'inherit' })
}
