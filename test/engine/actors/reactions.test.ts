import { describe, expect, it } from 'vitest'
import { reactionKey } from '../../../engine/actors/group/emoji.ts'
import type { GroupState } from '../../../engine/actors/group/group-state.ts'
import { react, unreact } from '../../../engine/actors/group/reactions.ts'
import { decodeEvent, encodeEvent } from '../../../protocol/codec.ts'
import { limits } from '../../../protocol/limits.ts'
import type { Message, Reaction } from '../../../protocol/records.ts'
import { aGroup, aPost, brief, by, only, snapshot } from '../../support/groups.ts'
import { refusal } from '../../support/sessions.ts'

const messageId = 'g:2'
const HEART = '❤\uFE0F'

const of = (emoji: string, ...userIds: readonly string[]): Reaction => ({
  emoji,
  userIds,
  count: userIds.length,
})
const users = (count: number) => Array.from({ length: count }, (_, i) => `u${i}`)

/** A post with these reactions. */
function aChat(reactions?: readonly Reaction[], post: Partial<Message> = {}): GroupState {
  const group = aGroup({ ana: 'admin', bruno: 'member', max: 'moderator' })
  group.recent.push({ seq: 2, message: { ...aPost(2), reactions, ...post } }, 0, 0)
  group.lastSeq = 2
  return group
}

/** The reactions after Ana has reacted. */
function reacted(reactions: readonly Reaction[] | undefined, emoji: string) {
  const effects = react(aChat(reactions), by('ana'), { messageId, emoji }, 0)
  return only(effects, 'change').message.reactions
}

// RCT-1
describe('a reaction', () => {
  it.each([
    '👍',
    '👍🏽',
    HEART,
    '👨‍👩‍👧‍👦',
    '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
    '🇧🇷',
    '1\uFE0F\u20E3',
    '👩🏿‍❤\uFE0F‍💋‍👨🏻',
    '☝🏽',
    ':party_parrot:',
    ':coração:',
  ])('is one emoji or a custom name: %s', (emoji) =>
    expect(reacted(undefined, emoji)).toEqual([of(emoji, 'ana')]),
  )

  it.each(['x', ' ', '1', 'hello everybody', '👍👍', '👍 ', '\u200B', '🏽🏽', '🇧', ':a b:', '::', ':👍:'])(
    'is nothing else: "%s"',
    (emoji) => {
      const group = aChat()
      const before = snapshot(group)
      expect(() => react(group, by('ana'), { messageId, emoji }, 0)).toThrow(
        expect.objectContaining(refusal('bad_request', 'emoji')),
      )
      expect(snapshot(group)).toEqual(before)
    },
  )

  it.each([
    ['❤', HEART],
    ['❤\uFE0E', HEART],
    ['👍\uFE0F', '👍'],
    ['1\u20E3', '1\uFE0F\u20E3'],
    ['👩🏿‍❤‍💋‍👨🏻', '👩🏿‍❤\uFE0F‍💋‍👨🏻'],
    ['🏳‍🌈', '🏳\uFE0F‍🌈'],
    [':c\u0327:', ':ç:'],
  ])('has one form, however it is written: %s', (written, key) => {
    expect(reacted(undefined, written)).toEqual([of(key, 'ana')])
    const group = aChat([of(key, 'ana')])
    expect(brief(react(group, by('ana'), { messageId, emoji: written }, 0))).toEqual(['answer_committed ok'])
    const removed = only(unreact(group, by('ana'), { messageId, emoji: written }, 0), 'change')
    expect(removed.message.reactions).toBeUndefined()
  })

  it('uses the form that Unicode recommends for every emoji of one character', () => {
    const rgi = '^\\p{RGI_Emoji}$'
    const isEmoji = new RegExp(rgi, 'v')
    for (let point = 1; point < 0x2_0000; point++) {
      if (point >= 0xd800 && point < 0xe000) continue
      const char = String.fromCodePoint(point)
      for (const form of [char, `${char}\uFE0F`]) if (isEmoji.test(form)) expect(reactionKey(char)).toBe(form)
    }
  })
})

describe('react', () => {
  it('adds the caller to the emoji, each once', () => {
    expect(reacted([of('👍', 'bruno')], '👍')).toEqual([of('👍', 'bruno', 'ana')])
    expect(brief(react(aChat([of('👍', 'ana')]), by('ana'), { messageId, emoji: '👍' }, 0))).toEqual([
      'answer_committed ok',
    ])
  })

  it('is limited in the number of emoji, not of users', () => {
    const emoji = [...'😀😁😂😃😄😅😆😇😈😉😊😋😌😍😎😏😐😑😒😓'].map((one) => of(one, 'max'))
    expect(emoji).toHaveLength(limits.reactionEmoji)
    expect(() => react(aChat(emoji), by('ana'), { messageId, emoji: '👍' }, 0)).toThrow(
      expect.objectContaining(refusal('limit_reached', 'emoji')),
    )
    expect(reacted(emoji, '😀')?.[0]).toEqual(of('😀', 'max', 'ana'))
    expect(reacted([of('👍', ...users(5_000))], '👍')?.[0]?.count).toBe(5_001)
  })

  it('merges several stored forms into one', () => {
    const stored = [of('❤', 'bruno', 'max'), of(HEART, 'bruno'), of('hello', 'max')]
    expect(reacted(stored, '❤')).toEqual([of(HEART, 'bruno', 'max', 'ana'), of('hello', 'max')])
    const left = only(unreact(aChat(stored), by('max'), { messageId, emoji: 'hello' }, 0), 'change')
    expect(left.message.reactions).toEqual([of(HEART, 'bruno', 'max')])
  })

  it('is refused on a deleted or recalled message', () => {
    expect(() => react(aChat([], { recalledAt: 1 }), by('ana'), { messageId, emoji: '👍' }, 0)).toThrow(
      expect.objectContaining(refusal('not_found', 'messageId')),
    )
  })
})

describe('unreact', () => {
  it('removes the caller’s reaction, and the emoji with the last one', () => {
    const known = [of('👍', 'ana', 'bruno'), of('🎉', 'ana')]
    const left = only(unreact(aChat(known), by('ana'), { messageId, emoji: '👍' }, 0), 'change')
    expect(left.message.reactions?.[0]).toEqual(of('👍', 'bruno'))
    const removed = only(unreact(aChat(known), by('ana'), { messageId, emoji: '🎉' }, 0), 'change')
    expect(removed.message.reactions).toHaveLength(1)
    expect(brief(unreact(aChat(known), by('max'), { messageId, emoji: '👍' }, 0))).toEqual([
      'answer_committed ok',
    ])
  })
})

describe('the record of a message', () => {
  const sent = (reactions: readonly Reaction[]) => {
    const message = { ...aPost(2), reactions }
    const event = decodeEvent(encodeEvent('new_message', 0, { message }))
    return event?.event === 'new_message' ? (event.fields.message.reactions ?? []) : []
  }

  it('lists at most 500 users, some of each emoji, and counts all', () => {
    const reactions = sent([of('👍', ...users(10_000)), of('🎉', ...users(30)), of(HEART, 'ana')])
    expect(reactions.map(({ count }) => count)).toEqual([10_000, 30, 1])
    expect(reactions.map(({ userIds }) => userIds.length)).toEqual([474, 25, 1])
    expect(sent([of('👍', ...users(500))])[0]?.userIds).toHaveLength(500)
  })
})
