/**
 * People: the name, picture and presence of each user on show.
 *
 * What the server sends is newer than what was cached. For a short time after `user_updated`, events with the
 * older name may still arrive and are ignored (IDN-2). Bounded: above `MAX_KNOWN` the oldest are removed.
 */
import type { Message, User } from '../../protocol/records.ts'
import type { Clock } from '../clock.ts'
import type { Person } from './types.ts'

const MAX_KNOWN = 5_000
const SETTLE_MS = 10_000

interface Known {
  person: Person
  isFromServer: boolean
  updatedAt: number
  status?: User['status'] | undefined
  lastSeenAt?: number | undefined
}

type Named = { readonly userId: string; readonly name: string; readonly picture?: string | undefined }

export class People {
  readonly #clock: Clock
  readonly #onChange: (userId: string, what: 'name' | 'presence') => void
  readonly #known = new Map<string, Known>()

  constructor(clock: Clock, onChange: (userId: string, what: 'name' | 'presence') => void) {
    this.#clock = clock
    this.#onChange = onChange
  }

  /** The same object until the user changes. Without a name, the user is shown by id. */
  person(userId: string, name = ''): Person {
    return this.#of(userId, name).person
  }

  presence(userId: string): Pick<User, 'lastSeenAt'> & { readonly status?: User['status'] | undefined } {
    return this.#known.get(userId) ?? {}
  }

  /** Records that contain a user: what the server sent, or what was cached. */
  learn({ userId, name, picture }: Named, isFromServer: boolean): void {
    const known = this.#of(userId, name)
    const { person } = known
    if (!isFromServer && known.isFromServer) return
    if (this.#clock.now() - known.updatedAt < SETTLE_MS) return
    known.isFromServer = isFromServer
    this.#set(known, { userId, name: name || person.name, picture: picture ?? person.picture })
  }

  learnSender({ senderId, senderName }: Message, isFromServer: boolean): void {
    this.learn({ userId: senderId, name: senderName }, isFromServer)
  }

  update({ userId, name, picture }: Named): void {
    const known = this.#of(userId, name)
    known.updatedAt = this.#clock.now()
    this.#set(known, { userId, name, picture })
  }

  setPresence(userId: string, status: User['status'], lastSeenAt?: number): void {
    const known = this.#of(userId, '')
    if (known.status === status && known.lastSeenAt === lastSeenAt) return
    known.status = status
    known.lastSeenAt = lastSeenAt
    this.#onChange(userId, 'presence')
  }

  clear(): void {
    this.#known.clear()
  }

  #of(userId: string, name: string): Known {
    let known = this.#known.get(userId)
    if (!known) {
      known = {
        person: { userId, name: name || userId, picture: undefined },
        isFromServer: false,
        updatedAt: Number.NEGATIVE_INFINITY,
      }
      this.#known.set(userId, known)
      if (this.#known.size > MAX_KNOWN) this.#known.delete(this.#known.keys().next().value ?? '')
    }
    return known
  }

  #set(known: Known, person: Person): void {
    if (known.person.name === person.name && known.person.picture === person.picture) return
    known.person = person
    this.#onChange(person.userId, 'name')
  }
}
