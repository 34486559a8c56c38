/**
 * Answers: checks that an answer was right at some moment between request and answer.
 *
 * More cannot be demanded, because other users act in the meantime. For `ok`, some request must have
 * made the change and it must be stored (DUR-1). A refusal needs a rule that refuses. A page needs a
 * moment at which the group had this content.
 */
import { decodeEvent, encodeEvent } from '../../../protocol/codec.ts'
import type { ErrorCode } from '../../../protocol/errors.ts'
import type { Event } from '../../../protocol/events.ts'
import type { Message } from '../../../protocol/records.ts'
import { requests } from '../../../protocol/requests.ts'
import { type Asked, handEffects, type Seen } from './asked.ts'
import type { GroupModel } from './group-model.ts'
import type { Oracle } from './oracle.ts'
import { isRemoved, sentBefore, verdict } from './rules.ts'
import { Violation } from './violation.ts'

/** The state of the world when an answer arrives. */
export interface Moment {
  readonly now: number
  /** Codes that any request may be refused with since the last rest: full disk, failed reads, shutdown. */
  readonly codes: ReadonlySet<ErrorCode>
  /** Nothing else is in progress, so no presence changes. */
  readonly resting: boolean
}

/** @throws Violation */
export function checkAnswer(oracle: Oracle, asked: Asked, answer: Event, moment: Moment): void {
  const { request } = asked
  if (answer.event === 'error' || answer.event === 'message_error') {
    const code = answer.event === 'error' ? answer.fields.code : answer.fields.error.code
    return checkRefusal(oracle, asked, code as ErrorCode, moment)
  }
  const expected = requests[request.event].answer
  if (answer.event !== expected) throw wrong(asked, answer, `the answer is ${expected}`)
  if (!('durable' in requests[request.event])) checkAllowed(oracle, asked, answer)
  switch (answer.event) {
    case 'ok':
    case 'message_sent':
    case 'group':
      return checkDone(oracle, asked, answer)
    case 'groups':
      for (const { group, lastMessage, ...counts } of answer.fields.groups) {
        const right = (model: GroupModel) =>
          sameCounts(model, asked.userId, counts) &&
          model.members.size === group.memberCount &&
          model.lastSeq === group.lastSeq &&
          sameMessage(newest(model), lastMessage)
        somewhen(oracle, asked, answer, group.groupId, 'stored', right)
      }
      return
    case 'history':
      return checkHistory(oracle, asked, answer)
    case 'members': {
      const listed = answer.fields.members.map(({ userId, role }) => `${userId} ${role}`).sort()
      return somewhen(oracle, asked, answer, answer.fields.groupId, 'all', ({ members }) =>
        same(listed, [...members].map(([userId, { role }]) => `${userId} ${role}`).sort()),
      )
    }
    case 'pins': {
      const { groupId, messages } = answer.fields
      return somewhen(oracle, asked, answer, groupId, 'shown', (model) => {
        const pinned = [...model.messages.values()].filter(({ pinnedAt }) => pinnedAt !== undefined)
        return same(pinned.map(({ seq }) => seq).sort(), messages.map(({ seq }) => seq).sort())
      })
    }
    case 'users':
      if (moment.resting) checkUsers(oracle, asked, answer)
      return
    case 'receipts':
      return checkReceipts(oracle, asked, answer)
    case 'online_users': {
      const { users, total, groupId } = answer.fields
      return somewhen(oracle, asked, answer, groupId, 'all', ({ members, approached }) => {
        // PRV-2
        const isHidden = (userId: string) =>
          (userId !== asked.userId && approached.has(userId)) ||
          oracle.blocks.apart(userId, asked.userId) === 'yes' // PRV-1
        if (users.some(({ userId }) => isHidden(userId))) return false
        if (!moment.resting) return users.every(({ userId }) => members.has(userId))
        const there = [...members.keys()].filter(
          (userId) => oracle.people.seen(userId) !== 'offline' && !isHidden(userId),
        )
        const right = users.every(({ userId, status }) => oracle.people.seen(userId) === status)
        return right && same(there.sort(), users.map(({ userId }) => userId).sort()) && total === there.length
      })
    }
    default:
      return
  }
}

/** At rest: the listed users, and the status that the caller sees. PRV-1, PRV-2 */
function checkUsers(oracle: Oracle, asked: Asked, answer: Extract<Event, { event: 'users' }>): void {
  const { userId: me, request } = asked
  const { users } = answer.fields
  if (request.event === 'get_blocked') {
    const listed = users.map(({ userId }) => userId).sort()
    const blocked = oracle.blocks.blockedBy(me, oracle.userIds)
    if (!same(listed, [...blocked].sort())) throw wrong(asked, answer, `they have blocked ${blocked.join()}`)
  }
  for (const { userId, status, lastSeenAt } of users) {
    const isHidden =
      request.event === 'get_blocked' ||
      oracle.blocks.apart(me, userId) !== 'no' ||
      !oracle.shareNow(userId, me)
    const expected = isHidden ? 'offline' : oracle.people.seen(userId)
    if (status !== expected) throw wrong(asked, answer, `${userId} is seen as ${expected}`)
    if (isHidden && lastSeenAt !== undefined) throw wrong(asked, answer, `${userId} is hidden`)
  }
}

/** What `connected` reports about each group was true when it was read. */
export function checkConnected(
  oracle: Oracle,
  asked: Asked,
  answer: Extract<Event, { event: 'connected' }>,
): void {
  for (const { group, lastSeq, ...counts } of answer.fields.groups) {
    const right = (model: GroupModel) => sameCounts(model, asked.userId, counts) && model.lastSeq === lastSeq
    somewhen(oracle, asked, answer, group.groupId, 'stored', right)
  }
}

/** UNR-1: messages of others after the read mark and after the user joined, not deleted or recalled. */
function unreadOf(model: GroupModel, userId: string): readonly Message[] {
  const from = Math.max(model.members.get(userId)?.joinedSeq ?? 0, model.receipts.get(userId)?.readSeq ?? 0)
  return [...model.messages.values()].filter(
    (post) => post.seq > from && post.senderId !== userId && !isRemoved(post),
  )
}

interface Counts {
  readonly unread: number
  readonly mentions: number
  readonly readSeq?: number | undefined
  readonly mutedUntil?: number | undefined
}

function sameCounts(model: GroupModel, userId: string, reported: Counts): boolean {
  const unread = unreadOf(model, userId)
  const mentions = unread.filter((post) => post.mentions?.includes(userId)).length
  const member = model.members.get(userId)
  const readSeq = model.receipts.get(userId)?.readSeq ?? 0
  return (
    member !== undefined &&
    reported.unread === unread.length &&
    reported.mentions === mentions &&
    (reported.readSeq ?? 0) === readSeq &&
    (reported.mutedUntil ?? 0) === member.quietUntil
  )
}

function checkDone(oracle: Oracle, asked: Asked, answer: Event): void {
  const { request, userId, effects } = asked
  if (request.event === 'update_status') {
    if (oracle.people.isStored(userId, request.fields.status, storedUpTo(oracle, userId))) return
    throw wrong(asked, answer, 'it is not stored')
  }
  if (request.event === 'block_user' || request.event === 'unblock_user') {
    const on = request.event === 'block_user'
    if (oracle.blocks.isStored(userId, request.fields.userId, on, storedUpTo(oracle, userId))) return
    throw wrong(asked, answer, 'it is not stored')
  }
  const groupId = answer.event === 'group' ? answer.fields.group.groupId : asked.groupId
  if (groupId === null) return
  const isStored = () => oracle.isStored({ ...asked, groupId })
  // Another request for the same change may have made it, so this one changed nothing.
  const other = effects.kinds.size > 0 && !isStored() ? oracle.giveEffectsTo(asked) : undefined
  if (other) handEffects(asked, other)
  if (effects.kinds.size > 0) {
    if (!isStored()) throw wrong(asked, answer, 'it is not committed')
    if (answer.event === 'message_sent' && answer.fields.message.seq !== effects.seq) {
      throw wrong(asked, answer, `it became ${effects.seq}`)
    }
    return
  }
  const stored = requests[request.event].route === 'group' && 'durable' in requests[request.event]
  const seen = stored && oracle.options.durability !== 'memory' ? 'stored' : 'all'
  const versions = oracle.meanwhile(asked, groupId, seen)
  const { worlds } = oracle
  const right = versions.some((version) =>
    oracle.timesOf(asked, version).some((time) => {
      const { group } = version
      if (!worlds.some((world) => verdict(group, userId, request, time, world).is === 'noop')) return false
      if (answer.event !== 'message_sent' || request.event !== 'send_message' || !group) return true
      return sentBefore(group, userId, request.fields.tempId)?.seq === answer.fields.message.seq
    }),
  )
  if (right) return
  const cause = oracle.takeEffectsFrom(asked)
  if (!cause) throw wrong(asked, answer, 'nothing was changed, and it was not already so at any time')
  handEffects(cause, asked)
  checkDone(oracle, asked, answer)
}

/** A request that changes nothing was allowed. */
function checkAllowed(oracle: Oracle, asked: Asked, answer: Event): void {
  const { groupId, request, userId } = asked
  if (groupId === null) return
  const { worlds } = oracle
  const allowed = oracle
    .meanwhile(asked, groupId, 'all')
    .some((version) =>
      oracle
        .timesOf(asked, version)
        .some((time) =>
          worlds.some((world) => verdict(version.group, userId, request, time, world).is !== 'refused'),
        ),
    )
  if (!allowed) throw wrong(asked, answer, 'it was not allowed at any time')
}

function checkRefusal(oracle: Oracle, asked: Asked, code: ErrorCode, { now, codes }: Moment): void {
  const { request, userId, groupId, effects } = asked
  if (codes.has(code)) return
  if (request.event === 'resume' && code === 'overloaded') return
  if (effects.kinds.size > 0) {
    const other = oracle.giveEffectsTo(asked)
    if (!other) throw new Violation(`${describe(asked)} was done, and refused as ${code}`)
    handEffects(asked, other)
  }
  if (request.event.startsWith('upload')) return
  if (groupId === null && request.event !== 'create_group') return checkOwn(asked, code)
  const versions =
    groupId === null ? [{ group: null, offset: 0, at: now }] : oracle.meanwhile(asked, groupId, 'all')
  const { worlds } = oracle
  const right = versions.some((version) =>
    oracle.timesOf(asked, version).some((time) =>
      worlds.some((world) => {
        const expected = verdict(version.group, userId, request, time, world)
        return (expected.is === 'refused' || expected.is === 'either') && expected.codes.has(code)
      }),
    ),
  )
  if (!right)
    throw new Violation(`${describe(asked)} was refused as ${code}, which was not right at any time`)
}

/** Requests that concern no group are refused only if they are malformed. */
function checkOwn(asked: Asked, code: ErrorCode): void {
  if (code !== 'bad_request') throw new Violation(`${describe(asked)} was refused as ${code}`)
}

function checkHistory(oracle: Oracle, asked: Asked, answer: Extract<Event, { event: 'history' }>): void {
  const { request } = asked
  if (request.event !== 'get_history') return
  const { groupId, messages, hasMore } = answer.fields
  const { after = 0, before = Number.MAX_SAFE_INTEGER, limit = 50 } = request.fields
  const versions = oracle.meanwhile(asked, groupId, 'shown')
  const seqs = messages.map(({ seq }) => seq)
  somewhen(oracle, asked, answer, groupId, 'shown', (model) => {
    const all = [...model.messages.keys()].filter((seq) => seq > after && seq < before).sort((a, b) => a - b)
    const page = request.fields.after === undefined ? all.slice(-limit) : all.slice(0, limit)
    return same(page, seqs) && hasMore === all.length > limit
  })
  for (const message of messages) {
    const right = versions.some(({ group }) => sameMessage(group?.messages.get(message.seq), message))
    if (!right) throw wrong(asked, answer, `message ${message.seq} did not have this content at any time`)
  }
}

function checkReceipts(oracle: Oracle, asked: Asked, answer: Extract<Event, { event: 'receipts' }>): void {
  const { messageId, delivered, read, deliveredCount, readCount } = answer.fields
  const groupId = asked.groupId ?? ''
  const seq = Number(messageId.slice(messageId.indexOf(':') + 1))
  somewhen(oracle, asked, answer, groupId, 'all', ({ receipts, messages }) => {
    const senderId = messages.get(seq)?.senderId
    const who = (kind: 'delivered' | 'read') =>
      [...receipts.keys()].filter((id) => id !== senderId && receipts.get(id)?.[kind].has(seq)).sort()
    const idsOf = (list: readonly (readonly [string, number])[]) => list.map(([id]) => id).sort()
    return (
      same(who('delivered'), idsOf(delivered)) &&
      same(who('read'), idsOf(read)) &&
      deliveredCount === delivered.length &&
      readCount === read.length
    )
  })
}

/** @throws Violation unless `right` held at some moment between request and answer */
function somewhen(
  oracle: Oracle,
  asked: Asked,
  answer: Event,
  groupId: string,
  seen: Seen,
  right: (model: GroupModel) => boolean,
): void {
  const versions = oracle.meanwhile(asked, groupId, seen)
  if (versions.some(({ group }) => group !== null && right(group))) return
  throw wrong(asked, answer, `${groupId} was not so at any time`)
}

function storedUpTo(oracle: Oracle, id: string): number {
  return oracle.options.durability === 'memory' ? Number.POSITIVE_INFINITY : oracle.committedOf(id)
}

function newest({ messages }: GroupModel): Message | undefined {
  return messages.get(Math.max(...messages.keys()))
}

/** Whether they are the same on the wire. */
export function sameMessage(one: Message | undefined, other: Message | undefined): boolean {
  if (!one || !other) return one === other
  return same(plain(one), plain(other))
}

function plain(message: Message): unknown {
  const event = decodeEvent(encodeEvent('new_message', 0, { message }))
  return event?.event === 'new_message'
    ? Object.entries(event.fields.message)
        .filter(([, value]) => value != null)
        .sort()
    : null
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function describe({ userId, request }: Asked): string {
  return `${request.event} ${JSON.stringify(request.fields)} of ${userId}`
}

function wrong(asked: Asked, answer: Event, why: string): Violation {
  return new Violation(`${describe(asked)} got ${answer.event} ${JSON.stringify(answer.fields)}: ${why}`)
}
