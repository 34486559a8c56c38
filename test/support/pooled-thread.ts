/**
 * Pooled thread: runs the code of the engine's threads one after another (`thread-pool.ts`).
 *
 * Each run is a new evaluation of the whole bundled thread, with `workerData` and `parentPort` of its own. It
 * ends when a thread of its own would have exited: when nothing is left that the event loop waits for.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants, Script } from 'node:vm'
import { type MessagePort, parentPort } from 'node:worker_threads'

/** What a thread runs next. */
export interface Run {
  /** The bundled code, a CommonJS module. */
  readonly file: string
  readonly workerData: unknown
  readonly parentPort: MessagePort
}

const pool = parentPort as MessagePort
const scripts = new Map<string, Script>()
let current: Run | null = null

pool.on('message', (run: Run) => {
  // From here on, only the run's own handles let the thread live.
  pool.unref()
  current = run
  codeOf(run.file).runInThisContext()(createRequire(run.file), { exports: {} }, run)
})

process.on('beforeExit', () => {
  if (!current) return
  process.removeAllListeners('uncaughtException')
  current.parentPort.close()
  current = null
  pool.ref()
  pool.postMessage('ended')
})

function codeOf(file: string): Script {
  const known = scripts.get(file)
  if (known) return known
  const code = `(function (require, module, threadRun) { const exports = module.exports; ${readFileSync(file, 'utf8')}\n})`
  const script = new Script(code, {
    filename: file,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  })
  scripts.set(file, script)
  return script
}
