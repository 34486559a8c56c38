/**
 * Announcements: sends events that are not stored to the subscribers of one group, or of several groups
 * once each (PRS-3).
 */
import { encode } from '../../protocol/codec.ts'
import type { Effect } from '../actors/effects.ts'
import { ephemeralTwin } from '../base/topics.ts'
import type { BatchWriter } from '../threads/batch.ts'
import { pack } from '../threads/packing.ts'
import { type Announcement, ToHub } from './hub-records.ts'
import type { PresenceDirectory } from './presence-directory.ts'

export class Announcements {
  readonly #toHub: BatchWriter
  readonly #directory: PresenceDirectory

  constructor(toHub: BatchWriter, directory: PresenceDirectory) {
    this.#toHub = toHub
    this.#directory = directory
  }

  publish(effect: Extract<Effect, { type: 'publish' }>): void {
    const { groupIds, event, exceptSession, exceptUsers, onlyUser, about } = effect
    const [groupId] = groupIds
    if (groupId === undefined) return
    const frame = encode(event, 0)
    const barred = about === null ? [] : this.#directory.barredFrom(about) // PRV-1
    const excepted = exceptUsers === undefined ? barred : [...exceptUsers, ...barred]
    if (groupIds.length === 1 && onlyUser === undefined && excepted.length === 0) {
      this.#toHub.push(ToHub.publish, exceptSession ?? 0, Buffer.from(ephemeralTwin(`g:${groupId}`)), frame)
      return
    }
    const announcement: Announcement = {
      topics: groupIds.map((id) => `g:${id}`),
      exceptSession,
      exceptUsers: excepted,
      onlyUser,
      // Who was shown the typing before a block was known here must be shown its end.
      about: event.name === 'user_stopped_typing' ? undefined : (about ?? undefined),
    }
    this.#toHub.push(ToHub.announce, 0, frame, pack(announcement))
  }
}
