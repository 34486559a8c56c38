/**
 * SQLite for Node: on Node 20, better-sqlite3 12 in place of the locked version 13, which needs Node 22.
 *
 * A lock file has one version for all. Outside this repository npm chooses by Node's version; here
 * this runs at the end of `npm ci` and `npm install`, and does nothing from Node 22 on.
 */
import { execSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const NODE_20 = 'better-sqlite3@12.11.1'

const root = fileURLToPath(new URL('..', import.meta.url))
const installed = `${root}/node_modules/better-sqlite3/package.json`
const isNode20 = Number.parseInt(process.versions.node, 10) < 22

if (
  isNode20 &&
  existsSync(installed) &&
  !JSON.parse(readFileSync(installed, 'utf8')).version.startsWith('12.')
) {
  execSync(`npm install --no-save --no-audit --no-fund ${NODE_20}`, {
    cwd: root,
    stdio: 'inherit',
  })
}
