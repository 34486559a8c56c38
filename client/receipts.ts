/**
 * Receipts: what the application reports as delivered and as read, in few requests (RCP-1, LIM-1).
 *
 * The first receipt of a group leaves at once. Those that follow within `WINDOW_MS`, or before the
 * answer came, are merged and leave together, so that an application may report each message as it
 * shows it. Every caller gets the answer to the request that carried its receipt. A call that the
 * server would refuse for its form leaves by itself, so that it spoils no other.
 * Bounded: over `MAX_CALLERS` waiting calls, `overloaded`; over 500 messages a request leaves early.
 */
import { ChatError } from '../protocol/errors.ts'
import { limits } from '../protocol/limits.ts'
import type { Answer, SendRequest } from '../protocol/methods.ts'
import type { RequestFields } from '../protocol/requests.ts'
import type { Clock } from './clock.ts'

const WINDOW_MS = 250
const MAX_CALLERS = 10_000
const messageIdForm = /^([\w-]{1,64}):[1-9]\d{0,14}$/

type ReceiptName = 'message_delivered' | 'message_read'

/** The fields of both; `message_read` has a group, and may read all up to a seq. */
export interface ReceiptFields {
  readonly messageIds: readonly string[]
  readonly groupId?: string | undefined
  readonly upTo?: number | undefined
}

interface Caller {
  readonly fields: ReceiptFields
  readonly resolve: (answer: Answer<ReceiptName>) => void
  readonly reject: (error: unknown) => void
}

/** The receipts of one kind in one group. */
interface Lane {
  readonly key: string
  readonly name: ReceiptName
  waiting: Caller[]
  /** Messages that the waiting callers name. */
  count: number
  /** A request has no answer yet. */
  busy: boolean
  cancelWindow: (() => void) | null
}

export interface ReceiptsOptions {
  readonly ask: SendRequest
  readonly clock: Clock
}

export class Receipts {
  readonly #options: ReceiptsOptions
  readonly #lanes = new Map<string, Lane>()
  #callers = 0

  constructor(options: ReceiptsOptions) {
    this.#options = options
  }

  give(name: ReceiptName, fields: ReceiptFields): Promise<Answer<ReceiptName>> {
    const groupId = groupOf(fields)
    // What the server refuses, or what is full by itself, goes alone.
    if (groupId === null) return this.#ask(name, fields)
    if (this.#callers >= MAX_CALLERS) {
      return Promise.reject(new ChatError('overloaded', 'too many receipts wait to be sent'))
    }
    return new Promise((resolve, reject) => {
      const lane = this.#laneOf(name, groupId)
      if (lane.count + fields.messageIds.length > limits.receiptMessages) void this.#send(lane)
      lane.waiting.push({ fields, resolve, reject })
      lane.count += fields.messageIds.length
      this.#callers += 1
      if (!lane.busy && !lane.cancelWindow) this.#flush(lane)
    })
  }

  /** Sends at once what was read of the group, for a request that must not be overtaken by it. */
  hurry(groupId: string): void {
    const lane = this.#lanes.get(`message_read ${groupId}`)
    if (lane && lane.waiting.length > 0) void this.#send(lane)
  }

  /** Rejects what waits; what was sent is rejected by its request. */
  close(error: Error): void {
    for (const { waiting, cancelWindow } of this.#lanes.values()) {
      cancelWindow?.()
      this.#callers -= waiting.length
      for (const { reject } of waiting.splice(0)) reject(error)
    }
    this.#lanes.clear()
  }

  #laneOf(name: ReceiptName, groupId: string): Lane {
    const key = `${name} ${groupId}`
    const known = this.#lanes.get(key)
    if (known) return known
    const lane: Lane = { key, name, waiting: [], count: 0, busy: false, cancelWindow: null }
    this.#lanes.set(key, lane)
    return lane
  }

  #flush(lane: Lane): void {
    if (lane.waiting.length === 0) return
    lane.busy = true
    lane.cancelWindow = this.#options.clock.after(WINDOW_MS, () => {
      lane.cancelWindow = null
      if (!lane.busy) this.#next(lane)
    })
    void this.#send(lane).then(() => {
      lane.busy = false
      if (!lane.cancelWindow) this.#next(lane)
    })
  }

  #next(lane: Lane): void {
    if (lane.waiting.length > 0) this.#flush(lane)
    else if (this.#lanes.get(lane.key) === lane) this.#lanes.delete(lane.key)
  }

  /** Sends what waits in one request; settles all of its callers, and never rejects. */
  async #send(lane: Lane): Promise<void> {
    const callers = lane.waiting
    lane.waiting = []
    lane.count = 0
    try {
      const answer = await this.#ask(lane.name, merge(callers))
      for (const { resolve } of callers) resolve(answer)
    } catch (error) {
      for (const { reject } of callers) reject(error)
    } finally {
      this.#callers -= callers.length
    }
  }

  #ask(name: ReceiptName, fields: ReceiptFields): Promise<Answer<ReceiptName>> {
    return this.#options.ask(name, fields as RequestFields<ReceiptName>)
  }
}

/** The group that all the messages are of; null where the fields are not of that form. */
function groupOf({ messageIds, groupId, upTo }: ReceiptFields): string | null {
  if (!Array.isArray(messageIds) || messageIds.length > limits.receiptMessages) return null
  const group = groupId ?? prefixOf(messageIds[0])
  if (typeof group !== 'string' || !messageIds.every((id) => prefixOf(id) === group)) return null
  if (upTo === undefined) return messageIds.length > 0 ? group : null
  return Number.isSafeInteger(upTo) && upTo >= 0 ? group : null
}

function prefixOf(id: unknown): string | null {
  return (typeof id === 'string' && messageIdForm.exec(id)?.[1]) || null
}

function merge(callers: readonly Caller[]): ReceiptFields {
  const [first] = callers
  const messageIds = [...new Set(callers.flatMap(({ fields }) => fields.messageIds))]
  const upTo = callers.reduce<number | undefined>(
    (highest, { fields }) => (fields.upTo === undefined ? highest : Math.max(highest ?? 0, fields.upTo)),
    undefined,
  )
  return { ...first?.fields, messageIds, ...(upTo !== undefined && { upTo }) }
}
