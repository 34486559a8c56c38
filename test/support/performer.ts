/**
 * A performer for tests, with a scripted log and hub; what it sends to the hub is recorded in short form.
 * No thread, no clock.
 */

import type { EventSource } from '../../engine/actors/actor-context.ts'
import type { Effects } from '../../engine/actors/effects.ts'
import { postChanged } from '../../engine/actors/group/recorded.ts'
import { laneOf } from '../../engine/base/partition.ts'
import { addressOf, SEQ_BYTES } from '../../engine/base/seq-bytes.ts'
import type { LogListener } from '../../engine/log/log.ts'
import { Alarms } from '../../engine/shards/alarms.ts'
import { type Announcement, ToHub } from '../../engine/shards/hub-records.ts'
import { Ledger } from '../../engine/shards/ledger.ts'
import { Performer, type PerformerOptions, type ShardDeps } from '../../engine/shards/performer.ts'
import { PresenceDirectory } from '../../engine/shards/presence-directory.ts'
import { Replies } from '../../engine/shards/replies.ts'
import type { LogEntry } from '../../engine/stored/log-entry.ts'
import { BatchWriter, readBatch } from '../../engine/threads/batch.ts'
import { unpack } from '../../engine/threads/packing.ts'
import { decodeEvent } from '../../protocol/codec.ts'
import { aGroup } from './groups.ts'

const kindNames = new Map<number, string>(Object.entries(ToHub).map(([name, kind]) => [kind, name]))

/** A performer with a scripted log and hub. */
export function aPerformer(options: Partial<PerformerOptions> = {}, more: Partial<ShardDeps> = {}) {
  const entries: LogEntry[] = []
  const logCalls: string[] = []
  const reads: { readonly resolve: (result: unknown) => void; readonly reject: (error: Error) => void }[] = []
  let listener: LogListener | undefined
  /** What runs when the turn ends. */
  const deferred: (() => void)[] = []
  const ask = (() => new Promise((resolve, reject) => reads.push({ resolve, reject }))) as never
  const said: string[] = []
  const batches: Uint8Array[] = []
  const outbox = new BatchWriter(
    (batch) => batches.push(batch),
    () => {},
  )
  const directory = new PresenceDirectory()
  const alarms = new Alarms({ steadyNow: () => 77, after: () => () => {} }, () => {})
  const settings: PerformerOptions = {
    shards: 4,
    durability: 'process',
    fanout: 'immediate',
    presenceGraceMs: 5_000,
    rules: { editWindowMs: 0, maxGroupsPerUser: 0, contactPolicy: 'open' },
    greeting: {
      serverVersion: '1',
      limits: { maxMessageBytes: 0, maxContentBytes: 0, rateLimit: 0, resumeEvents: 0 },
    },
    ...options,
  }
  const deps: ShardDeps = {
    now: () => 77,
    steadyNow: () => 77,
    newId: () => 'fresh',
    after: () => () => {},
    toHub: outbox,
    defer: (task) => deferred.push(task),
    openLog(opened) {
      listener = opened
      return {
        append: (batches) => entries.push(...batches.flatMap((batch) => batch.entries)),
        events: ask,
        close() {},
      }
    },
    views: { ofGroup: ask, ofUser: ask },
    search: { search: ask },
    // Answered by the test, like a read.
    files: {
      run: (() => new Promise((resolve, reject) => reads.push({ resolve, reject }))) as never,
      depths: { uploads: 0, uploadBytes: 0 },
      sweep() {},
      close: async () => {},
    },
    ...more,
  }
  const replies = new Replies(outbox, deps.now)
  const ledger = new Ledger(settings, deps, replies, {
    drained: () => logCalls.push('drained'),
    failing: (_lanes, { code }) => logCalls.push(code),
    refused: (groupId) => logCalls.push(`refused ${groupId}`),
  })
  const performer = new Performer(settings, deps, { alarms, directory, ledger, replies })
  const state = aGroup({ ana: 'admin' })
  const group: EventSource = {
    groupId: 'g',
    lane: laneOf('g'),
    address: addressOf('g:g'),
    members: state.members,
    lastOffset: 0,
    reading: 0,
    abandoned: false,
    recorded: (...event) => state.recent.push(...event),
    published: (seq) => {
      state.publishedSeq = seq
    },
    changed: (...change) => postChanged(state, ...change, group.reading > 0),
  }
  /** The records sent to the hub since the last call: kind, number or id, and the event, in short form. */
  const toHub = () => {
    outbox.flush()
    for (const batch of batches.splice(0)) {
      readBatch(batch, (kind, number, id, body) => {
        const name = kindNames.get(kind)
        if (name === 'send') said.push(`send ${number} ${eventName(body)}`)
        else if (name === 'publish') said.push(`publish ${text(id)} ${eventName(body)}`)
        else if (name === 'show') said.push(`publish ${text(id.subarray(SEQ_BYTES))} ${eventName(body)}`)
        else if (name === 'sendUser') said.push(`sendUser ${text(id)} ${eventName(body)} but ${number}`)
        else if (name === 'announce')
          said.push(`announce ${eventName(id)} ${JSON.stringify(unpack<Announcement>(body))}`)
        else if (name === 'unsubscribe') said.push(`unsubscribe ${text(id)} ${text(body)}`)
        else if (name === 'subscribe') said.push(`subscribe ${number} ${text(body)}`)
        else if (name === 'mail') said.push(`mail ${number} ${unpack<{ readonly id: string }>(body).id}`)
        else if (name === 'storage') said.push(`storage ${number} ${text(body)}`.trim())
        else said.push(`${name} ${number} ${text(id)}`.trim())
      })
    }
    return said.splice(0)
  }
  const endTurn = () => {
    for (const task of deferred.splice(0)) task()
  }
  const perform = (effects: Effects, by: EventSource = group) => {
    performer.perform(effects, by)
    endTurn()
  }
  /** The log, as it reports about the lane of the group. */
  const log = {
    committed: (offset: number) => listener?.committed([[group.lane, offset]]),
    failing: (reason: string) => listener?.failing([group.lane], reason),
    refused: (owner: string, from: number, reason: string) =>
      listener?.refused(group.lane, owner, from, reason),
  }
  return {
    performer,
    ledger,
    state,
    alarms,
    directory,
    group,
    entries,
    logCalls,
    reads,
    toHub,
    perform,
    endTurn,
    log,
    /** What the log reports, about any lane. */
    report: listener as unknown as LogListener,
  }
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

function eventName(frame: Uint8Array): string {
  const event = decodeEvent(frame)
  if (event?.event === 'error') return `error ${event.fields.code}`
  if (event?.event === 'message_error') return `message_error ${event.fields.tempId}`
  return event?.event ?? 'nothing'
}
