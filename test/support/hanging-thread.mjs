/**
 * Preloaded by `node --import` into a server of a test, and thereby into each of its threads: the thread
 * named in `HANG_FILE` stops answering (`<thread> hang`) or exits (`<thread> exit`).
 */
import { readFileSync } from 'node:fs'
import { isMainThread, workerData } from 'node:worker_threads'

function threadName() {
  if (workerData?.options) return 'shard'
  if (workerData?.store) return 'files'
  if (workerData?.search) return 'writer'
  return workerData?.writer ? 'search' : 'reader'
}

if (!isMainThread) {
  const name = threadName()
  setInterval(() => {
    let order = ''
    try {
      order = readFileSync(process.env['HANG_FILE'], 'utf8')
    } catch {
      return
    }
    if (order === `${name} hang`) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    if (order === `${name} exit`) process.exit(0)
  }, 20).unref()
}
