/**
 * Chat group: what an application can do in one group, and its views.
 */
import type { MethodRequest } from '../../protocol/methods.ts'
import type { Member } from '../../protocol/records.ts'
import type { RequestFields, RequestName } from '../../protocol/requests.ts'
import { ask, rejectFailure } from './failure.ts'
import type { GroupState } from './group-state.ts'
import type { StoreCore } from './store-core.ts'
import type { DraftMode, GroupHandle, NewMessage, ReceiptsView } from './types.ts'

/** `typing_start` is repeated after this time; the server ends it after 6 s (TYP-1). */
const TYPING_EVERY_MS = 4_000
const TYPING_IDLE_MS = 5_000

export class ChatGroup implements GroupHandle {
  readonly groupId: string
  readonly #state: GroupState
  readonly #core: StoreCore
  #typingUntil = Number.NEGATIVE_INFINITY
  #stopTyping: (() => void) | null = null

  constructor(state: GroupState, core: StoreCore) {
    this.groupId = state.groupId
    this.#state = state
    this.#core = core
  }

  get info() {
    return this.#state.info.view
  }
  get messages() {
    return this.#state.window.view
  }
  get members() {
    return this.#state.members.view
  }
  get pins() {
    return this.#state.pins.view
  }

  loadOlder(): Promise<void> {
    return this.#state.window.load('older')
  }

  loadNewer(): Promise<void> {
    return this.#state.window.load('newer')
  }

  jumpTo(place: Parameters<GroupHandle['jumpTo']>[0]): Promise<void> {
    return this.#state.window.jumpTo(place).catch(rejectFailure)
  }

  send({ content, type, replyToId, mentions, file }: NewMessage): string {
    const uploadId = file && this.#core.upload(this.groupId, file)
    const { key } = this.#core.outgoing.add({
      groupId: this.groupId,
      request: 'send_message',
      fields: {
        content,
        ...((type ?? file) && { type: type ?? typeOf(file?.blob.type) }),
        ...(replyToId !== undefined && { replyToId }),
        ...(mentions && { mentions }),
      },
      afterSeq: this.#state.row?.lastSeq ?? 0,
      uploadId,
    })
    this.setDraft('', null)
    this.#typingUntil = Number.NEGATIVE_INFINITY
    this.#stopTyping?.()
    this.#stopTyping = null
    if (this.messages.getSnapshot().hasNewer) void this.#state.window.jumpTo('newest').catch(() => {})
    return key
  }

  retry(key: string): void {
    const entry = this.#core.outgoing.get(key)
    if (!entry?.failure) return
    if (entry.uploadId !== undefined) this.#core.resumeUpload(entry.uploadId)
    this.#core.outgoing.change(key, { failure: undefined })
  }

  discard(key: string): void {
    const entry = this.#core.outgoing.get(key)
    // A message without an answer may be stored already.
    if (!entry?.failure && entry?.uploadId === undefined) return
    if (entry.uploadId !== undefined) this.#core.abortUpload(entry.uploadId)
    this.#core.outgoing.discard(key)
  }

  edit(messageId: string, content: string, mentions?: readonly string[]): Promise<void> {
    return this.#change('edit_message', { messageId, content, ...(mentions && { mentions }) })
  }

  delete(messageId: string): Promise<void> {
    return this.#change('delete_message', { messageId })
  }

  recall(messageId: string): Promise<void> {
    return this.#change('recall_message', { messageId })
  }

  react(messageId: string, emoji: string): Promise<void> {
    return this.#change('react', { messageId, emoji })
  }

  unreact(messageId: string, emoji: string): Promise<void> {
    return this.#change('unreact', { messageId, emoji })
  }

  pin(messageId: string): Promise<void> {
    return this.#change('pin_message', { messageId })
  }

  unpin(messageId: string): Promise<void> {
    return this.#change('unpin_message', { messageId })
  }

  async receipts(messageId: string): Promise<ReceiptsView> {
    const { delivered, read } = await this.#core.request('get_receipts', { messageId }).catch(rejectFailure)
    const listOf = (times: typeof read) =>
      times.map(([userId, at]) => ({ user: this.#core.people.person(userId), at }))
    return { delivered: listOf(delivered), read: listOf(read) }
  }

  markRead(seq?: number): void {
    const { row } = this.#state
    if (!row) return
    const upTo = Math.min(seq ?? row.lastSeq, row.lastSeq)
    if (upTo <= (row.readSeq ?? 0) || (row.unread === 0 && (row.readSeq ?? 0) >= (row.lastMessage?.seq ?? 0)))
      return
    this.#state.readUpTo(upTo)
    const fields: RequestFields<'message_read'> = { messageIds: [], groupId: this.groupId, upTo }
    this.#core.outgoing.add({
      key: `read:${this.groupId}`,
      groupId: this.groupId,
      request: 'message_read',
      fields,
    })
  }

  async markUnread(seq: number): Promise<void> {
    const { row } = this.#state
    const undo = this.#state.expect({
      readSeq: row?.readSeq ?? 0,
      unread: row?.unread ?? 0,
      mentions: row?.mentions ?? 0,
    })
    this.#core.outgoing.discard(`read:${this.groupId}`)
    this.#state.unreadFrom(seq)
    await this.#ask('mark_unread', { groupId: this.groupId, seq }, undo)
  }

  typing(): void {
    const { clock } = this.#core
    const { groupId } = this
    if (!this.#core.isConnected) return
    if (clock.now() >= this.#typingUntil) {
      this.#typingUntil = clock.now() + TYPING_EVERY_MS
      this.#core.request('typing_start', { groupId }).catch(() => {})
    }
    this.#stopTyping?.()
    this.#stopTyping = clock.after(TYPING_IDLE_MS, () => {
      this.#stopTyping = null
      this.#typingUntil = Number.NEGATIVE_INFINITY
      this.#core.request('typing_stop', { groupId }).catch(() => {})
    })
  }

  setDraft(text: string, mode?: DraftMode | null): void {
    this.#state.setDraft(text, mode)
  }

  update(fields: Parameters<GroupHandle['update']>[0]): Promise<void> {
    const set = (change: object) => {
      const { row } = this.#state
      if (row) this.#state.expect({ group: { ...row.group, ...change } })
    }
    const { name, topic, visibility } = this.#state.row?.group ?? {}
    set(fields)
    return this.#ask('update_group', { groupId: this.groupId, ...fields }, () =>
      set({ name, topic, visibility }),
    )
  }

  mute(until: number | null): Promise<void> {
    const undo = this.#state.expect({ mutedUntil: until ?? undefined })
    const forever = until === Number.POSITIVE_INFINITY
    return this.#ask('mute_group', { groupId: this.groupId, ...(!forever && { until: until ?? 0 }) }, undo)
  }

  async leave(): Promise<void> {
    await this.#ask('leave_group', { groupId: this.groupId })
    this.#core.removeGroup(this.groupId)
  }

  addMember(userId: string): Promise<void> {
    return this.#ask('add_member', { groupId: this.groupId, userId })
  }

  invite(userId: string): Promise<void> {
    return this.#ask('invite_member', { groupId: this.groupId, userId })
  }

  removeMember(userId: string): Promise<void> {
    return this.#ask(
      'remove_member',
      { groupId: this.groupId, userId },
      this.#state.members.expect(userId, null),
    )
  }

  ban(userId: string): Promise<void> {
    return this.#ask(
      'ban_member',
      { groupId: this.groupId, userId },
      this.#state.members.expect(userId, null),
    )
  }

  muteMember(userId: string, until: number | null): Promise<void> {
    const forever = until === Number.POSITIVE_INFINITY
    const undo = this.#state.members.expect(userId, { mutedUntil: until ?? undefined })
    return this.#ask(
      'mute_member',
      { groupId: this.groupId, userId, ...(!forever && { until: until ?? 0 }) },
      undo,
    )
  }

  setRole(userId: string, role: Member['role']): Promise<void> {
    return this.#ask(
      'set_role',
      { groupId: this.groupId, userId, role },
      this.#state.members.expect(userId, { role }),
    )
  }

  /** A change of a message: stored, shown at once, and sent when there is a connection. */
  async #change(request: RequestName, fields: object): Promise<void> {
    const { outgoing } = this.#core
    await outgoing.settled(outgoing.add({ groupId: this.groupId, request, fields }).key)
  }

  async #ask<N extends MethodRequest>(name: N, fields: RequestFields<N>, undo?: () => void): Promise<void> {
    await ask(this.#core.request, name, fields, undo)
  }
}

/** The type of a message with a file. */
function typeOf(mimeType = ''): NonNullable<NewMessage['type']> {
  const [kind] = mimeType.split('/')
  return kind === 'image' || kind === 'audio' || kind === 'video' ? kind : 'file'
}
