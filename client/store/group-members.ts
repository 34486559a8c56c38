/**
 * Group members: loaded while they or the group's messages are on show, then changed by events. The messages
 * need the names of who reacted, read or is mentioned; of large groups only if their members are on show.
 * Bounded by the members of a group.
 */
import type { Member } from '../../protocol/records.ts'
import type { GroupEvent } from '../group-event.ts'
import { largeGroup, membersPage } from '../wire-numbers.ts'
import { ComputedView } from './computed-view.ts'
import type { GroupState } from './group-state.ts'
import { share, shareList } from './sharing.ts'
import type { StoreCore } from './store-core.ts'
import type { MembersView } from './types.ts'

type ShownMember = MembersView['members'][number]

export class GroupMembers {
  readonly view: ComputedView<MembersView>
  readonly #group: GroupState
  readonly #core: StoreCore
  #members: readonly Member[] = []
  #isComplete = false
  #online = 0
  /** Increases with each load: the pages of an older one are dropped. */
  #epoch = 0
  #shown = new Map<string, ShownMember>()

  constructor(group: GroupState, core: StoreCore) {
    this.#group = group
    this.#core = core
    this.view = new ComputedView<MembersView>(
      { members: [], isComplete: false, role: null, onlineTotal: 0 },
      (before) => this.#compute(before),
      (isUsed) => {
        if (isUsed) this.refresh()
      },
    )
  }

  /** Loads all members again, if they are on show. */
  refresh(): void {
    const { row, window } = this.#group
    if (!row || !this.#core.isConnected) return
    const isNeeded = window.view.isUsed && row.group.memberCount <= largeGroup
    if (this.view.isUsed || isNeeded) void this.#load().catch(() => {})
  }

  handle(event: GroupEvent): void {
    if (event.event === 'user_joined_group') {
      const { userId, userName: name } = event.fields
      this.#remove(userId)
      if (this.#isComplete) {
        this.#members = [...this.#members, { userId, name, role: 'member', joinedAt: Date.now() }]
      }
    } else if (event.event === 'user_left_group') this.#remove(event.fields.userId)
    else if (event.event === 'role_changed') {
      this.#change(event.fields.userId, { role: event.fields.role as Member['role'] })
    } else if (event.event === 'member_muted') {
      const { userId, until } = event.fields
      this.#change(userId, { mutedUntil: until || undefined })
    } else return
    this.view.changed()
  }

  /** Shows a change of a member at once; the returned function takes it back. */
  expect(userId: string, change: Partial<Member> | null): () => void {
    const before = this.#members
    if (change) this.#change(userId, change)
    else this.#remove(userId)
    this.view.changed()
    return () => {
      this.#members = before
      this.view.changed()
      this.refresh()
    }
  }

  async #load(): Promise<void> {
    const { groupId } = this.#group
    const { people, request } = this.#core
    this.#epoch += 1
    const epoch = this.#epoch
    void this.#loadOnline(epoch).catch(() => {})
    const all: Member[] = []
    for (let cursor: string | undefined; ; ) {
      const page = await request('get_members', {
        groupId,
        limit: membersPage,
        ...(cursor !== undefined && { cursor }),
      })
      if (epoch !== this.#epoch) return
      for (const member of page.members) people.learn(member, true)
      all.push(...page.members)
      cursor = page.cursor
      if (cursor === undefined) break
      if (!this.#isComplete) this.#members = [...all]
      this.view.changed()
    }
    this.#members = all
    this.#isComplete = true
    this.view.changed()
  }

  async #loadOnline(epoch: number): Promise<void> {
    const { groupId } = this.#group
    for (let cursor: string | undefined; ; ) {
      const page = await this.#core.request('get_online_users', {
        groupId,
        ...(cursor !== undefined && { cursor }),
      })
      if (epoch !== this.#epoch) return
      for (const user of page.users) this.#core.people.setPresence(user.userId, user.status, user.lastSeenAt)
      this.#online = page.total
      cursor = page.cursor
      if (cursor === undefined) break
    }
    this.view.changed()
  }

  #remove(userId: string): void {
    this.#members = this.#members.filter((member) => member.userId !== userId)
  }

  #change(userId: string, change: Partial<Member>): void {
    this.#members = this.#members.map((member) =>
      member.userId === userId ? { ...member, ...change } : member,
    )
  }

  #compute(before: MembersView): MembersView {
    const { people, me } = this.#core
    const { group } = this.#group.row ?? {}
    const known = this.#members.length > 0 ? this.#members : (group?.members ?? [])
    const shown = new Map<string, ShownMember>()
    let online = 0
    for (const member of known) {
      const { userId } = member
      const { status } = people.presence(userId)
      if (status !== undefined && status !== 'offline') online += 1
      const { name, picture } = people.person(userId, member.name)
      shown.set(userId, share(this.#shown.get(userId), { ...member, name, picture, status }))
    }
    this.#shown = shown
    return share(before, {
      members: shareList(before.members, [...shown.values()]),
      isComplete: this.#isComplete,
      role: shown.get(me)?.role ?? null,
      // Large groups report only their number.
      onlineTotal: Math.max(online, this.#online > known.length || online === 0 ? this.#online : 0),
    })
  }
}
