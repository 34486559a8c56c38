/**
 * Rules: what a group answers to a request in a given state, according to the specification.
 *
 * Written independently of the engine's permissions. If several rules refuse, each of their codes is
 * a right answer. `noop`: nothing changes, and the answer is `ok`.
 */
import type { ErrorCode } from '../../../protocol/errors.ts'
import { parseMessageId } from '../../../protocol/ids.ts'
import type { Message } from '../../../protocol/records.ts'
import type { Request } from '../../../protocol/requests.ts'
import { type GroupModel, type ModelReceipts, noReceipts } from './group-model.ts'

export type Verdict =
  | { readonly is: 'refused'; readonly codes: ReadonlySet<ErrorCode> }
  | { readonly is: 'noop' | 'effect' }
  /** Done or refused: it depends on other groups, or on what is stored, which has changed in the meantime. */
  | { readonly is: 'either'; readonly codes: ReadonlySet<ErrorCode> }

/** What a request depends on besides the state of its group. */
export interface Circumstances {
  readonly editWindowMs: number
  /** Whether the one may open a new direct chat with the other. PRV-2 */
  readonly mayOpen: (one: string, other: string) => 'yes' | 'no' | 'perhaps'
  /** Whether a message has shown the file recently: that none does any more may not be stored yet. */
  readonly wasShown: (groupId: string, fileId: string) => boolean
  /** Whether one of the two has blocked the other. PRV-1 */
  readonly areApart: (one: string, other: string) => boolean
}

const noop: Verdict = { is: 'noop' }
const effect: Verdict = { is: 'effect' }
const refused = (...codes: readonly ErrorCode[]): Verdict => ({ is: 'refused', codes: new Set(codes) })

const rank = { member: 0, moderator: 1, admin: 2 } as const
const RECALL_MS = 300_000
/** How far below the newest event a message may be marked as unread. */
const MARKED_WITHIN = 10_000
const FOREVER = Number.MAX_SAFE_INTEGER

/** The right answer to the request of `userId` at `now`; null is a group that does not exist. */
export function verdict(
  group: GroupModel | null,
  userId: string,
  { event, fields }: Request,
  now: number,
  circumstances: Circumstances,
): Verdict {
  const { editWindowMs, areApart, wasShown } = circumstances
  if (event === 'create_group') return createVerdict(group, userId, fields, circumstances)
  if (!group) return refused('not_found')
  const me = group.members.get(userId)
  const isPrivate = group.visibility !== 'open'
  const isCut = isCutOff(group, areApart)
  if (event === 'join_group') {
    if (me) return group.approached.has(userId) ? effect : noop
    if (isPrivate && !group.invited.has(userId)) return refused('not_found')
    if (isPrivate) return isCut ? refused('no_contact') : effect
    return group.banned.has(userId) ? refused('banned') : effect
  }
  if (event === 'decline_invitation') {
    if (group.invited.has(userId)) return effect
    return isPrivate && !me ? refused('not_found') : noop
  }
  const isAuthor =
    (event === 'delete_message' || event === 'recall_message') &&
    group.messages.get(parseMessageId(fields.messageId).seq)?.senderId === userId
  // IDN-7
  if (!me && !isAuthor) return refused(isPrivate ? 'not_found' : 'not_a_member')

  const codes: ErrorCode[] = []
  // A user who is not a member has no role; what only members may do was refused above.
  const myRank = me ? rank[me.role] : rank.member
  const atLeast = (role: keyof typeof rank) => myRank >= rank[role] || codes.push('role_needed')
  const groupsOnly = () => group.kind !== 'direct' || codes.push('direct_chat')
  const muted = () => (me?.mutedUntil ?? 0) > now && codes.push('muted')
  const inContact = (other: string) => areApart(userId, other) && codes.push('no_contact')
  /** Checks whether the user may post. */
  const posts = () => {
    muted()
    if (isCut) codes.push('no_contact')
  }
  const against = (other: string) => {
    const target = group.members.get(other)
    if (target && rank[target.role] > myRank) codes.push('higher_role')
  }
  const named = (other: string) => group.members.has(other) || codes.push('not_found')
  const perhaps = new Set<ErrorCode>()
  const notLost = (fileId: string) => {
    if (isLost(group, fileId))
      wasShown(group.groupId, fileId) ? perhaps.add('not_found') : codes.push('not_found')
  }
  const decide = (changes: boolean): Verdict => {
    if (codes.length > 0) return refused(...codes, ...perhaps)
    if (perhaps.size > 0) return { is: 'either', codes: perhaps }
    return changes ? effect : noop
  }
  const post = (messageId: string): Message | undefined => group.messages.get(parseMessageId(messageId).seq)
  const found = (messageId: string) => post(messageId) ?? codes.push('not_found')
  const notDeleted = (messageId: string) => isRemoved(post(messageId)) && codes.push('not_found')

  switch (event) {
    case 'send_message': {
      if (sentBefore(group, userId, fields.tempId)) return noop
      posts()
      if (fields.content === '' && (fields.fileId === undefined || (fields.type ?? 'text') === 'text')) {
        codes.push('bad_request')
      }
      if (fields.replyToId !== undefined) {
        const { groupId, seq } = parseMessageId(fields.replyToId)
        if (groupId !== group.groupId || !group.messages.has(seq)) codes.push('not_found')
      }
      if (fields.fileId !== undefined) {
        const known = group.files.get(fields.fileId)
        if (known?.uploadedBy !== userId) codes.push('not_found')
        notLost(fields.fileId)
      }
      return decide(true)
    }
    case 'edit_message': {
      const { messageId, content } = fields
      const message = post(messageId)
      found(messageId)
      posts()
      notDeleted(messageId)
      if (message && message.senderId !== userId) codes.push('not_yours')
      if (message && editWindowMs > 0 && now - message.createdAt > editWindowMs) codes.push('edit_expired')
      if (content === '' && !message?.file) codes.push('bad_request')
      return decide(
        message !== undefined && (content !== message.content || newMentions(group, message, fields)),
      )
    }
    case 'delete_message': {
      const message = post(fields.messageId)
      found(fields.messageId)
      if (message && message.senderId !== userId) {
        if (group.kind === 'direct') codes.push('not_yours')
        else {
          atLeast('moderator')
          against(message.senderId)
        }
      }
      if (message?.recalledAt !== undefined) codes.push('not_found')
      return decide(message?.deletedAt === undefined)
    }
    case 'recall_message': {
      const message = post(fields.messageId)
      found(fields.messageId)
      if (message && message.senderId !== userId) codes.push('not_yours')
      if (message?.deletedAt !== undefined) codes.push('not_found')
      const late = message !== undefined && now - message.createdAt > RECALL_MS
      if (late && message.recalledAt === undefined) codes.push('recall_expired')
      return decide(message?.recalledAt === undefined)
    }
    case 'react':
    case 'unreact': {
      if (event === 'react') posts()
      found(fields.messageId)
      notDeleted(fields.messageId)
      const has = (post(fields.messageId)?.reactions ?? []).some(
        ({ emoji, userIds }) => emoji === fields.emoji && userIds.includes(userId),
      )
      return decide(has !== (event === 'react'))
    }
    case 'pin_message':
    case 'unpin_message': {
      found(fields.messageId)
      atLeast('moderator')
      if (event === 'pin_message') notDeleted(fields.messageId)
      return decide((post(fields.messageId)?.pinnedAt !== undefined) !== (event === 'pin_message'))
    }
    case 'leave_group':
      groupsOnly()
      return decide(true)
    case 'add_member': {
      groupsOnly()
      atLeast('moderator')
      // GRP-3
      const isInvited = group.former.get(fields.userId)?.byChoice && group.invited.has(fields.userId)
      if (group.members.has(fields.userId)) return decide(false)
      inContact(fields.userId)
      return decide(!isInvited)
    }
    case 'invite_member':
      groupsOnly()
      atLeast('moderator')
      if (group.members.has(fields.userId)) return decide(false)
      inContact(fields.userId)
      return decide(!group.invited.has(fields.userId))
    case 'remove_member':
      groupsOnly()
      atLeast('moderator')
      if (!group.invited.has(fields.userId)) {
        named(fields.userId)
        against(fields.userId)
      }
      return decide(true)
    case 'ban_member':
      groupsOnly()
      atLeast('moderator')
      if (group.banned.has(fields.userId)) return decide(false)
      against(fields.userId)
      if (fields.userId === userId) codes.push('bad_request')
      return decide(true)
    case 'mute_member': {
      groupsOnly()
      atLeast('moderator')
      named(fields.userId)
      against(fields.userId)
      return decide(group.members.get(fields.userId)?.mutedUntil !== endOf(fields.until, now))
    }
    case 'set_role': {
      groupsOnly()
      atLeast('admin')
      named(fields.userId)
      const target = group.members.get(fields.userId)
      if (target?.role === fields.role) return decide(false)
      const admins = [...group.members.values()].filter(({ role }) => role === 'admin')
      if (target?.role === 'admin' && admins.length === 1) codes.push('last_admin')
      return decide(true)
    }
    case 'update_group': {
      groupsOnly()
      atLeast('moderator')
      const keys = ['name', 'topic', 'avatarUrl', 'visibility'] as const
      return decide(keys.some((key) => fields[key] !== undefined && fields[key] !== group[key]))
    }
    case 'mute_group':
      return decide(me?.quietUntil !== endOf(fields.until, now))
    case 'message_delivered':
    case 'message_read': {
      const ids = fields.messageIds.map(parseMessageId)
      if (ids.some(({ groupId }) => groupId !== group.groupId)) codes.push('bad_request')
      if ('groupId' in fields && fields.groupId !== group.groupId) codes.push('bad_request')
      if (ids.some(({ seq }) => seq > group.lastSeq)) codes.push('not_found')
      if (event === 'message_read') {
        const { messageIds, upTo } = fields
        if (upTo === undefined && messageIds.length === 0) codes.push('bad_request')
        if (upTo !== undefined && upTo > group.lastSeq) codes.push('not_found')
      }
      return decide(changesReceipts(group, userId, { event, fields } as Request, isCut))
    }
    case 'mark_unread': {
      const changes = changesReceipts(group, userId, { event, fields } as Request, isCut)
      if (fields.seq > group.lastSeq) codes.push('not_found')
      if (changes && group.lastSeq - fields.seq > MARKED_WITHIN) codes.push('limit_reached')
      return decide(changes)
    }
    case 'get_receipts':
      found(fields.messageId)
      return decide(false)
    case 'typing_start':
      posts()
      return decide(false)
    case 'signal':
      if (fields.toUserId !== undefined) named(fields.toUserId)
      else muted()
      if (isOneSided(group) || isCut) codes.push('no_contact')
      if (fields.toUserId !== undefined) inContact(fields.toUserId)
      return decide(false)
    case 'get_file': {
      const known = group.files.get(fields.fileId)
      const mine = known?.uploadedBy === userId
      if (!known || !(mine || known.shown)) codes.push('not_found')
      notLost(fields.fileId)
      return decide(false)
    }
    default:
      return decide(false)
  }
}

/** When a mute ends; 0 if the time has passed. */
function endOf(until: number | undefined, now: number): number {
  return until === undefined ? FOREVER : until > now ? until : 0
}

type Edit = Extract<Request, { event: 'edit_message' }>['fields']

/** MEN-1: the users that the message mentions after the edit. Simulated texts are words separated by spaces. */
export function mentionsAfter(group: GroupModel, message: Message, edit: Edit): ReadonlySet<string> {
  const before = message.mentions ?? []
  const written = (content: string, userId: string) => content.split(' ').includes(`@${userId}`)
  const stays = (userId: string) => written(edit.content, userId) || !written(message.content, userId)
  const wanted = new Set(edit.mentions ?? before.filter(stays))
  const replied = message.replyToId && group.messages.get(parseMessageId(message.replyToId).seq)?.senderId
  if (replied && replied !== message.senderId && before.length > 0) wanted.add(replied)
  return new Set([...wanted].filter((userId) => group.members.has(userId)))
}

function newMentions(group: GroupModel, message: Message, edit: Edit): boolean {
  const after = mentionsAfter(group, message, edit)
  const { mentions = [] } = message
  return after.size !== mentions.length || !mentions.every((userId) => after.has(userId))
}

function changesReceipts(group: GroupModel, userId: string, request: Request, isCut: boolean): boolean {
  const { delivered, read, readSeq } = receiptsAfter(group, userId, request, isCut) ?? noReceipts
  const before = group.receipts.get(userId) ?? noReceipts
  return (
    delivered.size !== before.delivered.size || read.size !== before.read.size || readSeq !== before.readSeq
  )
}

/** Whether one of the two of a direct chat has blocked the other. PRV-1 */
export function isCutOff(group: GroupModel, areApart: Circumstances['areApart']): boolean {
  if (group.kind !== 'direct') return false
  const [one = '', other = group.awaited ?? ''] = group.members.keys()
  return areApart(one, other)
}

/** The user's receipts after the request; null if it is not about receipts. */
export function receiptsAfter(
  group: GroupModel,
  userId: string,
  { event, fields }: Request,
  isCut: boolean,
): ModelReceipts | null {
  const before = group.receipts.get(userId) ?? noReceipts
  const joinedSeq = group.members.get(userId)?.joinedSeq ?? 0
  if (event === 'mark_unread') {
    // What is already unread is not marked.
    const goesBack = before.readSeq > Math.max(fields.seq - 1, joinedSeq)
    return goesBack ? { ...before, readSeq: Math.max(fields.seq - 1, 0) } : before
  }
  if (event !== 'message_delivered' && event !== 'message_read') return null
  const upTo = event === 'message_read' ? (fields.upTo ?? 0) : 0
  const named = fields.messageIds.map((id) => parseMessageId(id).seq)
  const givesAny = !group.approached.has(userId) && !isCut
  const owed = [...group.messages.values()]
    .filter(({ seq, senderId }) => givesAny && senderId !== userId && seq > joinedSeq)
    .map(({ seq }) => seq)
    .filter((seq) => seq <= upTo || named.includes(seq))
  const isRead = event === 'message_read'
  return {
    delivered: new Set([...before.delivered, ...owed]),
    read: new Set([...before.read, ...(isRead ? owed : [])]),
    readSeq: Math.max(before.readSeq, ...(isRead ? [...named, upTo] : [0])),
  }
}

/** The post that was sent with this tempId, if any. */
export function sentBefore(group: GroupModel, userId: string, tempId: string): Message | undefined {
  for (const message of group.messages.values()) {
    if (message.senderId === userId && message.tempId === tempId) return message
  }
  return undefined
}

/** Whether it is a direct chat that one of the two has not accepted. PRV-2 */
export function isOneSided({ awaited, approached }: GroupModel): boolean {
  return awaited !== null || approached.size > 0
}

/** Whether messages have shown the file, and none shows it any more. */
function isLost(group: GroupModel, fileId: string): boolean {
  return group.files.get(fileId)?.shown === true && !isShown(group, fileId)
}

/** Whether a message shows the file. */
export function isShown({ messages }: GroupModel, fileId: string): boolean {
  return [...messages.values()].some(({ file }) => file?.fileId === fileId)
}

/** Whether it is deleted or recalled. */
export function isRemoved(message: Message | undefined): boolean {
  return message?.deletedAt !== undefined || message?.recalledAt !== undefined
}

function createVerdict(
  group: GroupModel | null,
  userId: string,
  { kind, members = [] }: Extract<Request, { event: 'create_group' }>['fields'],
  { mayOpen, areApart }: Circumstances,
): Verdict {
  const others = new Set(members.filter((member) => member !== userId))
  if (kind === 'direct' && others.size !== 1) return refused('bad_request')
  const isApart = [...others].some((other) => areApart(userId, other))
  if (!group) {
    if (isApart) return refused('no_contact')
    const may = kind === 'direct' ? mayOpen(userId, [...others][0] ?? '') : 'yes'
    if (may === 'perhaps') return { is: 'either', codes: new Set(['no_contact']) }
    return may === 'yes' ? effect : refused('no_contact')
  }
  if (kind === 'direct' && isApart && isOneOf(group, userId)) return refused('no_contact')
  if (kind === 'direct' && (group.awaited === userId || group.approached.has(userId))) return effect
  return kind === 'direct' && group.members.has(userId) ? noop : refused('already_exists')
}

function isOneOf({ members, awaited }: GroupModel, userId: string): boolean {
  return members.has(userId) || awaited === userId
}

/** When the last admin leaves, the role passes to the oldest moderator, or else the oldest member. */
export function isHeir(
  group: GroupModel | null,
  leaver: { readonly userId: string; readonly wasAdmin: boolean } | null,
  { userId, role, by }: { readonly userId: string; readonly role: string; readonly by: string },
): boolean {
  if (!group || !leaver?.wasAdmin || by !== leaver.userId || role !== 'admin') return false
  const members = [...group.members]
  if (members.some(([, member]) => member.role === 'admin')) return false
  const moderators = members.filter(([, member]) => member.role === 'moderator')
  const among = moderators.length > 0 ? moderators : members
  const oldest = Math.min(...among.map(([, { joinedSeq }]) => joinedSeq))
  return among.some(([id, { joinedSeq }]) => id === userId && joinedSeq === oldest)
}
