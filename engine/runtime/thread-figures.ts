/**
 * Thread figures: how busy the threads of an engine are, read when an operator looks.
 *
 * Nothing runs for it between two reads: utilization is counted by libuv, delays by the watchdog, which
 * pings the threads anyway. The heap of a thread is known from Node 22.16 on. It is requested without
 * waiting, because a thread that hangs does not answer: a read returns the answer to an earlier one.
 */
import type { Worker } from 'node:worker_threads'

/** One thread. `activeMs` and `idleMs` count since its start: the difference of two reads is its utilization. */
export interface ThreadFigures {
  readonly name: string
  /** How late its event loop answered the last ping, which is sent once a second. */
  readonly delayMs: number
  readonly activeMs: number
  readonly idleMs: number
  /** Null if this version of Node does not report it. */
  readonly heapUsedBytes: number | null
}

/** A worker of newer versions of Node. */
type MeasuredWorker = Worker & {
  getHeapStatistics?(): Promise<{ readonly used_heap_size: number }>
}

/** Returns the function that reads the figures of these threads. */
export function threadFigures(
  threads: readonly (readonly [name: string, worker: Worker])[],
  delayOf: (name: string) => number,
): () => readonly ThreadFigures[] {
  const heaps = threads.map(([, worker]) => new ThreadHeap(worker))
  return () =>
    threads.map(([name, { performance }], at) => {
      const { active, idle } = performance.eventLoopUtilization()
      const heapUsedBytes = (heaps[at] as ThreadHeap).read()
      return { name, delayMs: delayOf(name), activeMs: active, idleMs: idle, heapUsedBytes }
    })
}

class ThreadHeap {
  readonly #worker: MeasuredWorker
  #usedBytes: number | null = null
  #isPending = false

  constructor(worker: MeasuredWorker) {
    this.#worker = worker
  }

  /** The last known size; requests the next one. */
  read(): number | null {
    if (!this.#isPending && this.#worker.getHeapStatistics) {
      this.#isPending = true
      this.#worker
        .getHeapStatistics()
        .then(({ used_heap_size }) => {
          this.#usedBytes = used_heap_size
        })
        // The thread has ended.
        .catch(() => {})
        .finally(() => {
          this.#isPending = false
        })
    }
    return this.#usedBytes
  }
}
