/**
 * Stopping: when a process of the command line stops, and how it ends if that takes too long.
 */
import type { Parent } from './fronts/child-messages.ts'
import type { ServerLogger } from './logger.ts'

/** The process ends after this time even if a thread hangs: supervisors wait at least five seconds. */
export const CLOSE_WITHIN_MS = 4_700

/**
 * Resolves with the reason when the process is to stop: SIGTERM, SIGINT, or the supervisor has ended. A terminal
 * sends SIGINT and SIGHUP to the processes of a supervisor too, which decides: they ignore both.
 */
export function stopReason(parent: Parent | null = null): Promise<string> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve('the server received SIGTERM'))
    if (!parent) return void process.once('SIGINT', () => resolve('the server received SIGINT'))
    for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
    void parent.ended.then(() => resolve('the supervisor of this process has ended'))
  })
}

/** Runs `close`; kills the process if that takes longer than `CLOSE_WITHIN_MS` or fails. */
export async function closeOrKill(logger: ServerLogger, close: () => Promise<void>): Promise<void> {
  const late = setTimeout(() => kill('closing took too long'), CLOSE_WITHIN_MS)
  await close().catch((error: Error) => kill(error.message))
  clearTimeout(late)

  /** `process.exit` would wait for the thread that hangs. Acknowledged changes are stored. */
  function kill(why: string): void {
    logger.error({ why }, 'the process is killed')
    process.kill(process.pid, 'SIGKILL')
  }
}
