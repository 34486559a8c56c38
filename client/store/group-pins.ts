/**
 * Group pins: the pinned messages, latest pin first. Loaded while they are on show, then changed by events.
 */
import type { Message } from '../../protocol/records.ts'
import { pinnedMessages } from '../wire-numbers.ts'
import { ComputedView } from './computed-view.ts'
import type { GroupState } from './group-state.ts'
import { type ChangeEvent, changeMessage } from './message-changes.ts'
import { MessageItems } from './message-items.ts'
import { share, shareList } from './sharing.ts'
import type { StoreCore } from './store-core.ts'
import type { MessageItem, PinsView } from './types.ts'

/** Above it the pins are loaded again. */
const MAX_CHANGES = 1_000

export class GroupPins {
  readonly view: ComputedView<PinsView>
  readonly #group: GroupState
  readonly #core: StoreCore
  readonly #items = new MessageItems()
  #messages: readonly Message[] = []
  /** The events since the start of a load: its answers may have been made before or after each of them. */
  #changes: ((messages: readonly Message[]) => readonly Message[])[] | null = null
  #isLoaded = false
  #epoch = 0

  constructor(group: GroupState, core: StoreCore) {
    this.#group = group
    this.#core = core
    this.view = new ComputedView<PinsView>(
      { pins: [], isLoaded: false },
      (before) => this.#compute(before),
      (isUsed) => {
        if (isUsed) this.refresh()
      },
    )
  }

  /** Loads the pins again, if they are on show. */
  refresh(): void {
    if (this.view.isUsed && this.#core.isConnected && this.#group.row) void this.#load().catch(() => {})
  }

  onChange(event: ChangeEvent): void {
    const { messageId } = event.fields
    const isPinned = event.event === 'message_pinned'
    const message = isPinned ? this.#group.window.message(messageId) : undefined
    if (isPinned && !message) this.refresh()
    const change = (messages: readonly Message[]) =>
      message
        ? [changeMessage(message, event), ...messages.filter((one) => one.messageId !== messageId)]
        : messages
            .map((one) => (one.messageId === messageId ? changeMessage(one, event) : one))
            .filter(({ pinnedAt }) => pinnedAt !== undefined)
    this.#messages = change(this.#messages)
    if (this.#changes && this.#changes.push(change) > MAX_CHANGES) this.refresh()
    this.view.changed()
  }

  async #load(): Promise<void> {
    this.#epoch += 1
    this.#changes = []
    const epoch = this.#epoch
    const { groupId } = this.#group
    let loaded: readonly Message[] = []
    try {
      for (let cursor: string | undefined; loaded.length < pinnedMessages; ) {
        const page = await this.#core.request('get_pins', {
          groupId,
          ...(cursor !== undefined && { cursor }),
        })
        if (epoch !== this.#epoch) return
        this.#core.learnMessages(page.messages)
        loaded = [...loaded, ...page.messages]
        cursor = page.cursor
        if (cursor === undefined) break
      }
      this.#messages = (this.#changes ?? []).reduce((messages, change) => change(messages), loaded)
      this.#isLoaded = true
      this.view.changed()
    } finally {
      if (epoch === this.#epoch) this.#changes = null
    }
  }

  #compute(before: PinsView): PinsView {
    const { me, people, outgoing } = this.#core
    const { groupId, row } = this.#group
    const entries = outgoing.of(groupId).filter(({ request }) => request !== 'send_message')
    const items = this.#messages.map((message) => ({ groupId, seq: message.seq, message }))
    const pins = this.#items
      .list(items, { me, people, entries, marks: row?.marks ?? [], find: () => undefined })
      .filter((item): item is MessageItem => item.kind === 'message' && item.pinnedAt !== undefined)
    return share(before, { pins: shareList(before.pins, pins), isLoaded: this.#isLoaded })
  }
}
