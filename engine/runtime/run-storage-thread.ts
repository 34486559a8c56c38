/**
 * Run storage thread: what the reader and the copier thread have in common. Each opens the database, reports
 * that to the main thread, and ends by itself after a message from there.
 */
import { type MessagePort, parentPort } from 'node:worker_threads'
import type { StorageThreadNote } from './writer-thread.ts'

/** `open` serves the ports from now on; it returns what closes the database. */
export function runStorageThread(ports: readonly MessagePort[], open: () => () => void): void {
  const main = parentPort as MessagePort
  const report = (note: StorageThreadNote) => main.postMessage(note)
  const closePorts = () => {
    for (const port of ports) port.close()
  }
  try {
    const close = open()
    main.once('message', () => {
      closePorts()
      close()
      main.close()
    })
    report({ type: 'ready' })
  } catch (error) {
    closePorts()
    report({ type: 'failed', message: (error as Error).message })
    main.close()
  }
}
