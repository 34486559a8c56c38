/**
 * Build: TypeScript to `dist/`, beside it the files that the programs read at run time, and the pages.
 *
 * The old `dist/` is removed first, so that nothing of a deleted source remains. The programs have no
 * comments and no white space (`compact.mjs`: the package may have 2 MB), the declarations have them: editors
 * show them. Plain JavaScript, because it runs before anything is built and Node 20 reads no TypeScript.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { copyAssets, copySwaggerUi } from './assets.mjs'
import { compactPrograms } from './compact.mjs'
import { pruneDeclarations } from './declarations.mjs'
import { fitSqlite } from './sqlite-for-node.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

fitSqlite(root)
rmSync(`${root}/dist`, { recursive: true, force: true })
try {
  compile('--declaration', 'false', '--removeComments')
  compile('--emitDeclarationOnly', '--noCheck')
} catch {
  // The compiler has reported the error; a stack trace of this script would hide it.
  process.exit(1)
}
pruneDeclarations(root)
compactPrograms(root)
// npm sets the mode of a command when it links it, which a second build would undo.
chmodSync(`${root}/dist/server/main.js`, 0o755)
copyAssets(root)
copySwaggerUi(root)
await build({ configFile: `${root}/vite.config.ts` })

function compile(...args) {
  const tsc = `${root}/node_modules/typescript/bin/tsc`
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', ...args], { cwd: root, stdio: 'inherit' })
}
