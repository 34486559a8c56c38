/**
 * Post reports: reports durable posts, and changes of posts, to the hooks of the service.
 *
 * It runs in the shard of the group, which knows its members and who is connected. A report leaves once the
 * post is committed. If the hooks ask for it, it contains the members who were away at that time. Bounded by
 * what may be uncommitted (`HeldBack`).
 */
import type { Message } from '../../protocol/records.ts'
import type { EventSource } from '../actors/actor-context.ts'
import { ToHub } from '../shards/hub-records.ts'
import type { PostWatcher, WatcherDeps, WatchPosts } from '../shards/post-watcher.ts'
import { pack } from '../threads/packing.ts'
import type { MessageChange, Posted } from './posted.ts'

/** What the hooks of the service need to be notified of. */
export interface PostNotices {
  /** The members who were away, too. */
  readonly away: boolean
}

/** Creates the reports of a shard; undefined if no hook needs them. */
export function postReports(notices: PostNotices | undefined): WatchPosts | undefined {
  return notices && ((deps) => new PostReports(deps, notices))
}

class PostReports implements PostWatcher {
  readonly #deps: WatcherDeps
  readonly #notices: PostNotices

  constructor(deps: WatcherDeps, notices: PostNotices) {
    this.#deps = deps
    this.#notices = notices
  }

  posted(message: Message, group: EventSource): void {
    this.#deps.ledger.afterCommit(
      group.groupId,
      () => this.#report(message, 'posted', this.#notices.away ? this.#awayFrom(message, group) : [], group),
      () => {},
    )
  }

  /** Changes that do not concern the content of a post are not reported. */
  changed(before: Message, message: Message, group: EventSource): void {
    const change = changeOf(before, message)
    if (!change) return
    this.#deps.ledger.afterCommit(
      group.groupId,
      () => this.#report(message, change, [], group),
      () => {},
    )
  }

  #report(message: Message, change: MessageChange, away: readonly string[], group: EventSource): void {
    const asks = away.length > 0 && this.#deps.directory.mayBeBlocked(message.senderId)
    this.#send({ message, change, away: asks ? [] : away })
    if (asks) this.#reportAway(message, away, group)
  }

  /** The members who have no session now and have not muted the group. */
  #awayFrom({ senderId }: Message, { members }: EventSource): readonly string[] {
    const now = this.#deps.now()
    const away: string[] = []
    for (const { userId, quietUntil } of members.values()) {
      if (userId === senderId || quietUntil > now) continue
      if (!this.#deps.directory.presenceOf(userId).connected) away.push(userId)
    }
    return away
  }

  /** PRV-1: members who have blocked the sender are not notified. If the read fails, nobody is notified. */
  #reportAway(message: Message, away: readonly string[], group: EventSource): void {
    const { groupId, senderId: userId } = message
    group.reading += 1
    this.#deps.views
      .ofGroup({ read: 'blockers', userId, groupId }, userId)
      .then((blockers) => {
        const barred = new Set(blockers)
        this.#send({ message, change: null, away: away.filter((id) => !barred.has(id)) })
      })
      .catch((error: unknown) => this.#deps.replies.report(error, 'read "blockers" failed'))
      .finally(() => {
        group.reading -= 1
      })
  }

  #send(posted: Posted): void {
    this.#deps.toHub.push(ToHub.posted, 0, undefined, pack(posted))
  }
}

/** The change as hooks name it; undefined if the content is the same. */
function changeOf(before: Message, after: Message): MessageChange | undefined {
  if (after.deletedAt !== before.deletedAt) return 'deleted'
  if (after.recalledAt !== before.recalledAt) return 'recalled'
  const { content, mentions, type } = before
  const edited = after.content !== content || after.mentions !== mentions || after.type !== type
  return edited ? 'edited' : undefined
}
