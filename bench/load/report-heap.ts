/**
 * Report heap: loaded into a measured process with `--import`, beside `--expose-gc`. On SIGUSR2 it collects
 * garbage and writes the bytes of the heap that are in use to the file `BENCH_HEAP_FILE`.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const file = process.env['BENCH_HEAP_FILE']
if (isMainThread && file !== undefined) {
  process.on('SIGUSR2', () => {
    // The second one finds what finalizers of the first have released.
    globalThis.gc?.()
    globalThis.gc?.()
    writeFileSync(`${file}.partial`, String(process.memoryUsage().heapUsed))
    renameSync(`${file}.partial`, file)
  })
}
