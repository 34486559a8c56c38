/**
 * Invitations state: invitations to groups, and direct chats that wait for the user (PRV-2). Newest first.
 */
import type { Invitation } from '../../protocol/records.ts'
import { ComputedView } from './computed-view.ts'
import type { StoreCore } from './store-core.ts'
import type { InvitationsView } from './types.ts'

const MAX_INVITATIONS = 1_000

export class InvitationsState {
  readonly view: ComputedView<InvitationsView>
  readonly #core: Pick<StoreCore, 'request' | 'isConnected'>
  #invitations: readonly Invitation[] = []
  #isLoaded = false
  #epoch = 0

  constructor(core: Pick<StoreCore, 'request' | 'isConnected'>) {
    this.#core = core
    this.view = new ComputedView<InvitationsView>(
      { invitations: [], isLoaded: false },
      () => ({ invitations: this.#invitations, isLoaded: this.#isLoaded }),
      (isUsed) => {
        if (isUsed && !this.#isLoaded) this.refresh()
      },
    )
  }

  /** Loads the invitations again, if they are on show. */
  refresh(): void {
    if (this.view.isUsed && this.#core.isConnected) void this.#load().catch(() => {})
  }

  add(invitation: Invitation): void {
    const { groupId } = invitation.group
    this.#set([invitation, ...this.#invitations.filter(({ group }) => group.groupId !== groupId)])
  }

  /** Takes an invitation away; the returned function shows it again. */
  remove(groupId: string): () => void {
    const before = this.#invitations
    this.#set(before.filter(({ group }) => group.groupId !== groupId))
    return () => this.#set(before)
  }

  clear(): void {
    this.#epoch += 1
    this.#isLoaded = false
    this.#set([])
  }

  async #load(): Promise<void> {
    this.#epoch += 1
    const epoch = this.#epoch
    const all: Invitation[] = []
    for (let cursor: string | undefined; all.length < MAX_INVITATIONS; ) {
      const page = await this.#core.request('get_invitations', { ...(cursor !== undefined && { cursor }) })
      if (epoch !== this.#epoch) return
      all.push(...page.invitations)
      cursor = page.cursor
      if (cursor === undefined) break
    }
    this.#isLoaded = true
    this.#set(all)
  }

  #set(invitations: readonly Invitation[]): void {
    this.#invitations = invitations.slice(0, MAX_INVITATIONS)
    this.view.changed()
  }
}
