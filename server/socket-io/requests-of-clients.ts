/**
 * Requests of clients: an event that a Socket.IO client emitted, as a request of the table (SIO-1).
 *
 * Arguments are read by name from one map, or in the order of the table. `null` means absent. Defaults fill
 * what the apps of other backends do not send: a tempId, `messageIds` for one `messageId`, the groupId that
 * a messageId contains, a message type in capitals. Values are not validated here: the shard does that.
 */
import { randomBytes } from 'node:crypto'
import { type RequestName, type RequestSpec, requests } from '../../protocol/requests.ts'

export interface ClientRequest {
  readonly name: RequestName
  readonly row: RequestSpec
  readonly fields: Record<string, unknown>
}

const MESSAGE_ID = /^([^:]+):\d+$/
let made = 0
const prefix = randomBytes(6).toString('base64url')

/** A tempId for a client that sends none. */
export function newTempId(): string {
  made += 1
  return `sio-${prefix}-${made.toString(36)}`
}

/** The request of that name, or null if there is none. */
export function requestOf(name: unknown, args: readonly unknown[]): ClientRequest | null {
  if (typeof name !== 'string' || !Object.hasOwn(requests, name)) return null
  const row: RequestSpec = requests[name as RequestName]
  const fields = fieldsOf(row, args)
  if ('messageIds' in row.fields) fillMessageIds(row, fields)
  if (name === 'send_message') {
    fields['tempId'] ??= newTempId()
    if (typeof fields['type'] === 'string') fields['type'] = fields['type'].toLowerCase()
  }
  return { name: name as RequestName, row, fields }
}

function fieldsOf(row: RequestSpec, args: readonly unknown[]): Record<string, unknown> {
  const [first] = args
  if (isMap(first)) return { ...first }
  const names = Object.keys(row.fields)
  // The Dart client spreads a list into arguments.
  if (names[0] === 'messageIds' && args.every((arg) => typeof arg === 'string')) {
    const messageIds = args.filter((arg) => MESSAGE_ID.test(arg))
    return { messageIds, groupId: args.find((arg) => !MESSAGE_ID.test(arg)) }
  }
  return Object.fromEntries(names.map((field, i) => [field, args[i]]))
}

function fillMessageIds(row: RequestSpec, fields: Record<string, unknown>): void {
  const { messageIds = fields['messageId'] } = fields
  if (messageIds === undefined || messageIds === null) {
    if (typeof fields['upTo'] === 'number') fields['messageIds'] = []
  } else fields['messageIds'] = Array.isArray(messageIds) ? messageIds : [messageIds]
  if (!('groupId' in row.fields)) return
  const [one] = Array.isArray(fields['messageIds']) ? fields['messageIds'] : []
  fields['groupId'] ??= typeof one === 'string' ? MESSAGE_ID.exec(one)?.[1] : undefined
}

function isMap(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  )
}
