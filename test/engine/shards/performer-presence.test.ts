import { describe, expect, it } from 'vitest'
import {
  append,
  publish,
  publishToOthers,
  sendUser,
  tellConnected,
  tellMembers,
  wakeGroup,
  wakeUser,
  withPresence,
} from '../../../engine/actors/effects.ts'
import { laneOf, shardOf } from '../../../engine/base/partition.ts'
import { statuses } from '../../../engine/shards/hub-records.ts'
import { aPerformer } from '../../support/performer.ts'

const typing = { userId: 'ana', groupId: 'g' }
const named = { ...typing, userName: 'Ana' }

describe('ephemeral events', () => {
  it('use the ephemeral topic of a group; with several groups each session gets them once; they are not stored', () => {
    const { perform, toHub, entries } = aPerformer()
    perform([publish('ana', ['g'], 'user_stopped_typing', typing)])
    expect(toHub()).toEqual(['publish e:g user_stopped_typing'])
    // PRS-3
    perform([publish('ana', ['g', 'h'], 'user_typing', named, 7)])
    expect(toHub()).toEqual([
      'announce user_typing {"topics":["g:g","g:h"],"exceptSession":7,"exceptUsers":[],"about":"ana"}',
    ])
    perform([publishToOthers('ana', ['bruno'], ['g'], 'user_typing', named)])
    expect(toHub()).toEqual([
      'announce user_typing {"topics":["g:g"],"exceptUsers":["ana","bruno"],"about":"ana"}',
    ])
    perform([publish('ana', [], 'user_stopped_typing', typing)])
    expect([toHub(), entries]).toEqual([[], []])
  })

  // TYP-1, PRV-1
  it('show the end of typing to all who may have been shown its begin', () => {
    const { perform, toHub, directory } = aPerformer()
    directory.opened('ana', 1)
    directory.setBlocked({ userId: 'ana', blocked: ['bruno'], isBlocked: false })
    perform([
      publish('ana', ['g'], 'user_typing', named),
      publish('ana', ['g'], 'user_stopped_typing', typing),
    ])
    // `about`: the hub may know of a block that was made after the typing was shown.
    expect(toHub()).toEqual([
      'announce user_typing {"topics":["g:g"],"exceptUsers":["bruno"],"about":"ana"}',
      'announce user_stopped_typing {"topics":["g:g"],"exceptUsers":["bruno"]}',
    ])
  })

  it('do not wait for durable events', () => {
    const { perform, toHub } = aPerformer({ fanout: 'committed' })
    perform([publish('ana', ['g'], 'user_stopped_typing', typing)])
    expect(toHub()).toEqual(['publish e:g user_stopped_typing'])
  })

  it('go to all sessions of a user except one', () => {
    const { perform, toHub, directory } = aPerformer()
    for (const userId of ['bruno', 'joão']) directory.opened(userId, 8)
    perform([
      sendUser('bruno', 'user_stopped_typing', typing, 7),
      sendUser('joão', 'user_stopped_typing', typing),
    ])
    expect(toHub()).toEqual([
      'sendUser bruno user_stopped_typing but 7',
      'sendUser joão user_stopped_typing but 0',
    ])
  })

  it('are not sent if that is the only session', () => {
    const { perform, toHub, directory } = aPerformer()
    directory.opened('bruno', 7)
    perform([sendUser('bruno', 'user_stopped_typing', typing, 7)])
    expect(toHub()).toEqual([])
    directory.opened('bruno', 8)
    perform([sendUser('bruno', 'user_stopped_typing', typing, 7)])
    expect(toHub()).toHaveLength(1)
  })
})

describe('presence', () => {
  it('is sent to the hub, which notifies all shards', () => {
    const { perform, toHub, directory } = aPerformer()
    perform([{ type: 'presence', userId: 'ana', status: 'busy' }])
    expect(toHub()).toEqual([`presence ${statuses.indexOf('busy')} ana`])
    // This shard is notified by the hub like the others.
    expect(directory.presenceOf('ana').status).toBe('offline')
  })

  it('is read from the directory', () => {
    const { perform, performer, directory } = aPerformer()
    directory.opened('ana', 1)
    directory.setStatus('ana', 'away')
    const seen: unknown[] = []
    perform([
      withPresence((presenceOf) => {
        seen.push(presenceOf('ana'), presenceOf('eva'))
        return [wakeGroup('g', 'typing', 5)]
      }),
    ])
    expect(seen).toEqual([
      { connected: true, status: 'away' },
      { connected: false, status: 'offline' },
    ])
    expect(performer.presenceOf('ana')).toEqual(seen[0])
  })

  it('is not queued while storage rejects writes', () => {
    const { perform, entries, report } = aPerformer()
    const seen = append({ type: 'presence', userId: 'ana', status: 'online', lastSeenAt: 5 })
    report.failing([laneOf('ana')], 'disk full')
    perform([seen])
    expect(entries).toEqual([])
    report.committed([[laneOf('ana'), 0]])
    perform([seen])
    expect(entries).toHaveLength(1)
  })

  it('limits mail for connected users to those who are connected', () => {
    const { perform, toHub, directory } = aPerformer()
    directory.opened('ana', 1)
    directory.setStatus('eva', 'online')
    const mail = { type: 'group_size', groupId: 'g', large: true } as const
    perform([tellConnected('ana', mail), tellConnected('eva', mail)])
    expect(toHub()).toEqual([`mail ${shardOf('ana', 4)} ana`])
  })

  // PRV-1: the actor of a user who is still seen must hide them before it reports them as offline.
  it('lets mail about a block reach a user at once who has disconnected and is still seen', () => {
    const { perform, toHub, directory, log } = aPerformer()
    directory.opened('ana', 1)
    directory.setStatus('ana', 'online')
    directory.closed('ana')
    const entry = append({ type: 'unban', groupId: 'g', userId: 'ana' })
    perform([entry, tellMembers('g', ['ana', 'eva'], { type: 'barred', by: 'bruno', on: true })])
    expect(toHub()).toEqual([`mail ${shardOf('ana', 4)} ana`])
    log.committed(1)
    expect(toHub()).toEqual([`mail ${shardOf('eva', 4)} eva`])
  })

  it('returns the groups that watch a user who disconnects', () => {
    const { perform, directory } = aPerformer()
    directory.opened('ana', 1)
    perform([{ type: 'watch', groupId: 'g', userId: 'ana', on: true }])
    expect(directory.closed('ana')).toEqual(['g'])
  })
})

describe('an actor that requests an alarm', () => {
  it('gets its own', () => {
    const { perform, alarms } = aPerformer()
    perform([wakeGroup('g', 'typing', 5), wakeUser('ana', 'offline', 5)])
    expect([alarms.waits('group', 'g'), alarms.waits('user', 'ana'), alarms.waits('user', 'g')]).toEqual([
      true,
      true,
      false,
    ])
  })
})
