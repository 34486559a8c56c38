/**
 * Fair queue: the queries of many users for one thread, one at a time, the users in turn (INP-2).
 *
 * Who asks much waits for their own queries; everybody else waits for one of each user at most.
 * Bounded by what the asking ends may have open (`QueryPort`).
 */
export class FairQueue {
  /** By user; the user who is next comes first. */
  readonly #waiting = new Map<string, (() => void)[]>()
  readonly #defer: (task: () => void) => void

  /** `defer` runs a task in the next turn of the event loop. */
  constructor(defer: (task: () => void) => void) {
    this.#defer = defer
  }

  /** Runs the task when it is the user's turn. */
  push(userId: string, task: () => void): void {
    if (this.#waiting.size === 0) this.#defer(() => this.#turn())
    const tasks = this.#waiting.get(userId)
    if (tasks) tasks.push(task)
    else this.#waiting.set(userId, [task])
  }

  #turn(): void {
    const [next] = this.#waiting
    if (!next) return
    const [userId, tasks] = next
    const task = tasks.shift()
    this.#waiting.delete(userId)
    if (tasks.length > 0) this.#waiting.set(userId, tasks)
    if (this.#waiting.size > 0) this.#defer(() => this.#turn())
    task?.()
  }
}
