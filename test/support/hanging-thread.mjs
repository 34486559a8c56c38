/**
 * Preloaded by `node --import` into a server of a test, and thereby into each of its threads: the thread
 * named in `HANG_FILE` stops answering (`<thread> hang`) or exits (`<thread> exit`).
 */
import { readFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

if (!isMainThread) {
  const [, name] = /([a-z]+)-thread\.js$/.exec(process.argv[1])
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
