/**
 * Named: the topics and sessions that a front names after an interruption, checked by the engine's side.
 */
import * as v from 'valibot'
import type { MailToGroups } from '../../engine/actors/mail.ts'
import type { ContinuedTopic, Identity } from '../../engine/hub/gateway.ts'
import { checkIdentity } from '../../engine/hub/identity.ts'
import { unpack } from '../../engine/threads/packing.ts'
import type { NamedTopic } from './link-records.ts'
import { unpacked } from './packed.ts'

const number = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff_ffff))
const seq = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const groupId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/))
/** A front of an older build does not know whether it is in doubt. */
const topics = v.array(v.tuple([number, groupId, seq, v.optional(v.boolean(), false)]))
const session = v.tuple([
  v.looseObject({}),
  v.array(number),
  v.array(v.instance(Uint8Array)),
  v.array(v.tuple([groupId, seq])),
])

/** @throws Error if it is not of the form */
export function readNamedTopics(body: Uint8Array): readonly NamedTopic[] {
  return v.parse(topics, unpacked(body))
}

export interface ReadSession {
  readonly identity: Identity
  readonly topics: readonly number[]
  readonly baselines: readonly ContinuedTopic[]
  readonly missed: readonly ContinuedTopic[]
}

/** @throws Error if it is not of the form */
export function readNamedSession(body: Uint8Array): ReadSession {
  const [identity, numbers, attaching, missed] = v.parse(session, unpacked(body))
  return {
    identity: checkIdentity(identity as unknown as Identity),
    topics: numbers,
    baselines: attaching.flatMap(baselinesOf),
    missed,
  }
}

/** Where groups began for a session: the mail by which an engine of this version attached it. */
function baselinesOf(groups: Uint8Array): readonly ContinuedTopic[] {
  return unpack<MailToGroups>(groups).mail.groups.map(([id, , from]) => [id, from] as const)
}
