/**
 * Commands: random requests of users, mostly meaningful, often not: from members and non-members,
 * with sufficient and insufficient roles, known and unknown ids, and repeated tempIds.
 */
import type { File } from '../../../protocol/records.ts'
import type { RequestFields, RequestName } from '../../../protocol/requests.ts'
import type { GroupModel } from './group-model.ts'
import type { Random } from './random.ts'

export type Command = {
  [N in RequestName]: { readonly event: N; readonly fields: RequestFields<N> }
}[RequestName]

/** What a command may refer to. */
export interface Known {
  readonly userIds: readonly string[]
  readonly groups: readonly GroupModel[]
  readonly files: readonly File[]
  readonly now: number
}

const weights = {
  send_message: 30,
  create_group: 4,
  get_groups: 3,
  join_group: 8,
  leave_group: 3,
  add_member: 4,
  remove_member: 2,
  get_history: 4,
  edit_message: 5,
  delete_message: 3,
  recall_message: 3,
  react: 5,
  unreact: 3,
  pin_message: 2,
  unpin_message: 2,
  update_group: 3,
  ban_member: 3,
  set_role: 4,
  mute_group: 2,
  invite_member: 3,
  decline_invitation: 1,
  get_invitations: 1,
  mute_member: 2,
  typing_start: 4,
  typing_stop: 2,
  update_status: 3,
  get_online_users: 2,
  message_delivered: 6,
  message_read: 8,
  mark_unread: 3,
  get_receipts: 3,
  signal: 1,
  ping: 1,
  upload_file: 4,
  get_file: 3,
  get_contacts: 1,
  get_members: 2,
  get_pins: 2,
  block_user: 2,
  unblock_user: 3,
  get_blocked: 1,
} as const satisfies Partial<Record<RequestName, number>>

/** Requests that need a role; users who have one send them more often. */
const moderating = new Set<string>([
  'add_member',
  'remove_member',
  'ban_member',
  'mute_member',
  'invite_member',
  'set_role',
  'update_group',
  'pin_message',
  'delete_message',
])

const emojis = ['👍', '🎉', '❤️'] as const
const roles = ['admin', 'moderator', 'moderator', 'member'] as const

/** The next request of `userId`. */
export function nextCommand(random: Random, userId: string, known: Known): Command {
  const event = random.weighted(weights)
  const group = groupFor(random, userId, event, known.groups)
  const groupId = group?.groupId ?? `g${random.between(1, 4)}`
  const other = random.pick(known.userIds)
  const post = () => {
    const seqs = [...(group?.messages.keys() ?? [])]
    const newest = random.chance(0.6) ? seqs.slice(-4) : seqs
    return random.chance(0.9) ? (random.maybe(newest) ?? 1) : random.between(1, (group?.lastSeq ?? 1) + 2)
  }
  const messageId = () => `${groupId}:${post()}`
  const messageIds = () => Array.from({ length: random.between(1, 4) }, messageId)
  const words = (word: string) => (random.chance(0.2) ? `${word} @${random.pick(known.userIds)}` : word)
  const until = () => random.pick([undefined, 0, known.now + random.between(1, 60_000)])
  const file = () => random.maybe(known.files.filter(({ fileId }) => fileId.startsWith(`${groupId}:`)))
  switch (event) {
    case 'send_message': {
      const fileId = random.chance(0.2) ? file()?.fileId : undefined
      const type = fileId !== undefined ? 'file' : undefined
      return {
        event,
        fields: {
          groupId,
          content: random.chance(0.03) ? '' : words(`m${random.below(1_000_000)}`),
          tempId: `t${random.below(random.chance(0.2) ? 8 : 1_000_000)}`,
          replyToId: random.chance(0.1) ? messageId() : undefined,
          mentions: random.chance(0.2) ? [other, random.pick(known.userIds)] : undefined,
          fileId,
          type,
        },
      }
    }
    case 'create_group': {
      const kind = random.chance(0.4) ? 'direct' : 'group'
      const count = kind === 'direct' && random.chance(0.9) ? 1 : random.between(0, 3)
      const members = Array.from({ length: count }, () => random.pick(known.userIds))
      const visibility = random.pick([undefined, 'open', 'private'] as const)
      return {
        event,
        fields: {
          kind,
          members,
          visibility,
          groupId: kind === 'direct' ? undefined : `g${random.between(1, 4)}`,
        },
      }
    }
    case 'get_groups':
      return { event, fields: { limit: random.pick([undefined, 1, 2]) } }
    case 'get_history': {
      const top = group?.lastSeq ?? 1
      return {
        event,
        fields: {
          groupId,
          limit: random.pick([undefined, 1, 3, 200]),
          after: random.chance(0.3) ? random.below(top + 1) : undefined,
          before: random.chance(0.3) ? random.below(top + 3) : undefined,
        },
      }
    }
    case 'add_member':
    case 'remove_member':
    case 'ban_member':
    case 'invite_member':
      return { event, fields: { groupId, userId: other } }
    case 'mute_member':
      return { event, fields: { groupId, userId: other, until: until() } }
    case 'mute_group':
      return { event, fields: { groupId, until: until() } }
    case 'set_role':
      return { event, fields: { groupId, userId: other, role: random.pick(roles) } }
    case 'update_group':
      return {
        event,
        fields: {
          groupId,
          name: random.pick([undefined, '', `n${random.below(3)}`]),
          topic: random.pick([undefined, '', `t${random.below(3)}`]),
          visibility: random.pick([undefined, undefined, 'open', 'private'] as const),
        },
      }
    case 'edit_message':
      return {
        event,
        fields: {
          messageId: messageId(),
          content: random.chance(0.05) ? '' : words(`e${random.below(20)}`),
          mentions: random.chance(0.2) ? [other, random.pick(known.userIds)] : undefined,
        },
      }
    case 'delete_message':
    case 'recall_message':
    case 'pin_message':
    case 'unpin_message':
    case 'get_receipts':
      return { event, fields: { messageId: messageId() } }
    case 'react':
    case 'unreact':
      return { event, fields: { messageId: messageId(), emoji: random.pick(emojis) } }
    case 'message_delivered':
      return { event, fields: { messageIds: messageIds() } }
    case 'message_read':
      return random.chance(0.3)
        ? { event, fields: { messageIds: random.chance(0.8) ? [] : messageIds(), groupId, upTo: post() } }
        : { event, fields: { messageIds: messageIds(), groupId } }
    case 'mark_unread':
      return { event, fields: { groupId, seq: post() } }
    case 'update_status':
      return { event, fields: { status: random.pick(['online', 'away', 'busy', 'offline'] as const) } }
    case 'signal':
      return {
        event,
        fields: { groupId, toUserId: random.pick([undefined, other]), kind: 'offer', payload: 'x' },
      }
    case 'upload_file': {
      const bytes = new Uint8Array(random.between(1, 9))
      return { event, fields: { fileName: 'f', file: bytes, fileSize: bytes.length, groupId } }
    }
    case 'get_file':
      return { event, fields: { fileId: file()?.fileId ?? `${groupId}:f${'0'.repeat(20)}` } }
    case 'block_user':
    case 'unblock_user':
      return { event, fields: { userId: other } }
    case 'ping':
    case 'get_blocked':
    case 'get_contacts':
    case 'get_invitations':
      return { event, fields: {} } as Command
    default:
      return { event, fields: { groupId } }
  }
}

/** The group of the request, mostly one for which the request is meaningful. */
function groupFor(
  random: Random,
  userId: string,
  event: string,
  groups: readonly GroupModel[],
): GroupModel | undefined {
  if (random.chance(0.15)) return random.maybe(groups)
  const mine = groups.filter(({ members }) => members.has(userId))
  if (event === 'join_group' || event === 'decline_invitation') {
    const asks = groups.filter(({ invited, approached }) => invited.has(userId) || approached.has(userId))
    return random.maybe(asks) ?? random.maybe(groups.filter((group) => !mine.includes(group)))
  }
  const ruled = moderating.has(event)
    ? mine.filter(({ kind, members }) => kind === 'group' && members.get(userId)?.role !== 'member')
    : []
  return random.maybe(ruled) ?? random.maybe(mine) ?? random.maybe(groups)
}
