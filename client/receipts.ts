/**
 * Receipts: merges the application's delivered and read receipts into few requests (RCP-1, LIM-1).
 *
 * The first receipt of a group is sent immediately. Those that follow within `WINDOW_MS`, or before
 * the answer, are merged into one request, so that an application may report each message as it
 * shows it. Every caller gets the answer to the request that contained its receipt. A receipt with
 * invalid fields is sent alone, so that its error does not affect the others.
 * Bounded: above `MAX_CALLERS` waiting calls, `overloaded`; a request with 500 messages is sent early.
 */
import { ChatError } from '../protocol/errors.ts'
import type { Answer, SendRequest } from '../protocol/methods.ts'
import type { RequestFields } from '../protocol/requests.ts'
import type { Clock } from './clock.ts'
import { receiptMessages } from './wire-numbers.ts'

const WINDOW_MS = 250
const MAX_CALLERS = 10_000
const messageIdForm = /^([\w-]{1,64}):[1-9]\d{0,14}$/

type ReceiptName = 'message_delivered' | 'message_read'

/** The fields of both requests; `message_read` has a group, and may have `upTo`. */
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
  /** The number of messages in the waiting calls. */
  count: number
  /** Whether a request is in flight. */
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

  send(name: ReceiptName, fields: ReceiptFields): Promise<Answer<ReceiptName>> {
    const groupId = groupOf(fields)
    // Invalid or full receipts are sent alone.
    if (groupId === null) return this.#ask(name, fields)
    if (this.#callers >= MAX_CALLERS) {
      return Promise.reject(new ChatError('overloaded', 'too many receipts are waiting to be sent'))
    }
    return new Promise((resolve, reject) => {
      const lane = this.#laneOf(name, groupId)
      if (lane.count + fields.messageIds.length > receiptMessages) void this.#send(lane)
      lane.waiting.push({ fields, resolve, reject })
      lane.count += fields.messageIds.length
      this.#callers += 1
      if (!lane.busy && !lane.cancelWindow) this.#flush(lane)
    })
  }

  /** Sends the read receipts of the group now, before a request that must come after them. */
  flushRead(groupId: string): void {
    const lane = this.#lanes.get(`message_read ${groupId}`)
    if (lane && lane.waiting.length > 0) void this.#send(lane)
  }

  /** Rejects the waiting receipts; those in flight are rejected by their request. */
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

  /** Sends the waiting receipts in one request; settles all callers, and never rejects. */
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

/** The group of all the messages; null if the fields are not valid. */
function groupOf({ messageIds, groupId, upTo }: ReceiptFields): string | null {
  if (!Array.isArray(messageIds) || messageIds.length > receiptMessages) return null
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
