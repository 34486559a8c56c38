/**
 * Thread pool: takes the place of `engine/runtime/start-thread.ts` in the engines of tests.
 *
 * An engine has six threads, and a new one costs a tenth of a second of the processor before it runs a line
 * of ours: together more than most tests. Therefore a thread that has ended is used again, for the same code.
 * To the engine it is a `Worker` that starts, receives its data and exits. As many threads exist as engines
 * of one process used at the same time. The servers of tests and the built package start threads of their own.
 */
import { EventEmitter } from 'node:events'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  MessageChannel,
  type MessagePort,
  type Transferable,
  Worker,
  type WorkerOptions,
} from 'node:worker_threads'
import type { Run } from './pooled-thread.ts'

const starter = new URL('./pooled-thread.cjs', import.meta.url)
/** By the code that they run: the search thread lowers its priority. */
const idle = new Map<string, Worker[]>()

class PooledThread extends EventEmitter {
  readonly #worker: Worker
  readonly #port: MessagePort
  /** Of newer versions of Node only. */
  readonly getHeapStatistics: (() => Promise<object>) | undefined

  constructor(file: string, { workerData, transferList = [] }: WorkerOptions) {
    super()
    const worker = idle.get(file)?.pop() ?? new Worker(starter)
    const { port1, port2 } = new MessageChannel()
    this.#worker = worker
    const { getHeapStatistics } = worker as Worker & Partial<Pick<PooledThread, 'getHeapStatistics'>>
    this.getHeapStatistics = getHeapStatistics?.bind(worker)
    this.#port = port1
    port1.on('message', (message) => this.emit('message', message))
    // All messages of the run arrive before the port is closed.
    const closed = new Promise((resolve) => port1.once('close', resolve))
    const failed = (error: unknown) => this.emit('error', error)
    const exited = (code: number) => this.emit('exit', code)
    worker.once('error', failed).once('exit', exited)
    worker.once('message', async () => {
      await closed
      worker.off('error', failed).off('exit', exited).unref()
      idle.set(file, [...(idle.get(file) ?? []), worker])
      exited(0)
    })
    worker.ref()
    const run: Run = { file, workerData, parentPort: port2 }
    worker.postMessage(run, [port2, ...transferList])
  }

  postMessage(message: unknown, transfer: readonly Transferable[] = []): void {
    this.#port.postMessage(message, transfer)
  }

  get performance(): Worker['performance'] {
    return this.#worker.performance
  }

  unref(): void {
    this.#worker.unref()
    this.#port.unref()
  }
}

export function startThread(file: URL, options: WorkerOptions): PooledThread {
  const code = new URL(`./${basename(file.pathname, '.js')}.cjs`, import.meta.url)
  return new PooledThread(fileURLToPath(code), options)
}
