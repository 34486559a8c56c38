/**
 * Group info: a group as the list of groups shows it, with who is typing in it.
 */
import { ComputedView } from './computed-view.ts'
import type { GroupState } from './group-state.ts'
import { MessageItems } from './message-items.ts'
import { share } from './sharing.ts'
import type { StoreCore } from './store-core.ts'
import type { GroupItem } from './types.ts'

const TYPING_MS = 7_000

export class GroupInfo {
  readonly view: ComputedView<GroupItem | null>
  readonly #group: Pick<GroupState, 'groupId' | 'row' | 'draft'>
  readonly #core: StoreCore
  readonly #items = new MessageItems()
  /** Who is typing, and what ends the wait for `user_stopped_typing`. */
  readonly #typing = new Map<string, () => void>()

  constructor(group: Pick<GroupState, 'groupId' | 'row' | 'draft'>, core: StoreCore) {
    this.#group = group
    this.#core = core
    this.view = new ComputedView<GroupItem | null>(null, (before) => this.#compute(before))
  }

  changed(): void {
    this.view.changed()
    this.#core.groupChanged()
  }

  /** A user types until `user_stopped_typing`, a message or `TYPING_MS` (TYP-1). */
  typing(userId: string, isTyping: boolean): void {
    this.#typing.get(userId)?.()
    this.#typing.delete(userId)
    if (isTyping && userId !== this.#core.me) {
      this.#typing.set(
        userId,
        this.#core.clock.after(TYPING_MS, () => this.typing(userId, false)),
      )
    }
    this.changed()
  }

  /** Nobody is typing: the user has left the group. */
  clear(): void {
    for (const cancel of this.#typing.values()) cancel()
    this.#typing.clear()
    this.changed()
  }

  #compute(before: GroupItem | null): GroupItem | null {
    const { groupId, row, draft } = this.#group
    if (!row) return null
    const { me, people, outgoing } = this.#core
    const { group, unread, mentions, readSeq = 0, mutedUntil, marks = [], lastMessage, lastActivityAt } = row
    const { kind, visibility, name, topic, avatarUrl, memberCount, members } = group
    const entries = outgoing.of(groupId)
    const sending = entries.filter(({ request }) => request === 'send_message')
    const shown = lastMessage ? [{ groupId, seq: lastMessage.seq, message: lastMessage }] : []
    const last = this.#items.list(shown, { me, people, entries, marks, find: () => undefined }).at(-1)
    const other = kind === 'direct' ? members?.find(({ userId }) => userId !== me) : undefined
    const peer = other && people.person(other.userId, other.name)
    const { status, lastSeenAt } = peer ? people.presence(peer.userId) : {}
    const failed = sending.filter(({ failure }) => failure).length
    return share(before, {
      groupId,
      kind,
      visibility,
      title: peer?.name ?? name ?? groupId,
      topic,
      picture: peer?.picture ?? avatarUrl,
      memberCount,
      peer,
      presence: status,
      lastSeenAt,
      unread,
      mentions,
      readSeq,
      lastMessage: last?.kind === 'message' ? last : undefined,
      lastActivityAt: Math.max(lastActivityAt, sending.at(-1)?.createdAt ?? 0),
      typing: [...this.#typing.keys()].map((userId) => people.person(userId)),
      mutedUntil,
      draft: draft.text,
      draftMode: draft.mode,
      pending: sending.length - failed,
      failed,
    })
  }
}
