import { describe, expect, it } from 'vitest'
import { groupHandlers } from '../../../engine/actors/group/group-handlers.ts'
import type { Message } from '../../../protocol/records.ts'
import { aGroup, aMember, aPost, brief, by, given, only } from '../../support/groups.ts'

const { edit_message } = groupHandlers

/** Post 2 is by Ana. */
function aChat(post: Partial<Message> = {}) {
  const group = aGroup({ ana: 'admin', bruno: 'member', eva: 'member' })
  group.members.set('eva', aMember('eva', { name: 'Eva Costa' }))
  group.recent.push({ seq: 2, message: { ...aPost(2), ...post } }, 0, 0)
  group.lastSeq = 2
  return group
}

/** The users that the post mentions after the edit, in the log and in the event. */
function mentionsAfter(post: Partial<Message>, fields: { content?: string; mentions?: readonly string[] }) {
  const edit = { messageId: 'g:2', content: 'x', ...fields }
  const effects = edit_message(aChat(post), by('ana'), edit, 5)
  const { message } = only(effects, 'change')
  expect(only(effects, 'record').event.fields).toMatchObject({ mentions: message.mentions ?? [] })
  return message.mentions
}

describe('an edit that names mentions', () => {
  it('mentions those who are members, each once, and nobody else', () => {
    const mentions = ['bruno', 'bruno', 'nobody', 'eva']
    expect(mentionsAfter({ mentions: ['ana'] }, { mentions })).toEqual(['bruno', 'eva'])
    expect(mentionsAfter({ content: '@bruno', mentions: ['bruno'] }, { mentions: [] })).toBeUndefined()
  })

  it('is an edit if only the mentions change, and nothing if they stay too', () => {
    const group = aChat({ mentions: ['bruno'] })
    const same = { messageId: 'g:2', content: 'post 2' }
    expect(brief(edit_message(group, by('ana'), { ...same, mentions: ['bruno'] }, 5))).toEqual([
      'answer_committed ok',
    ])
    expect(brief(edit_message(group, by('ana'), { ...same, mentions: ['eva'] }, 5))[0]).toBe('change')
  })
})

describe('an edit that names none', () => {
  it.each([
    ['by id', 'hi @bruno!', 'hi @Bruno, there', ['bruno']],
    ['no longer', 'hi @bruno', 'hi all', undefined],
    ['as the beginning of a longer word only', 'hi @bruno', 'hi @brunoso', undefined],
    ['as an address only', 'hi @bruno', 'ana@bruno.example', undefined],
    ['in brackets', 'hi @[bruno](x)', 'ah @[bruno](x)', ['bruno']],
    ['never, so that the text cannot tell', 'hi there', 'hi all', ['bruno']],
  ])('keeps a mention that is still written: %s', (_, content, edited, expected) => {
    expect(mentionsAfter({ content, mentions: ['bruno'] }, { content: edited })).toEqual(expected)
  })

  it.each([
    ['by name', '@Eva Costa, hi', '@eva costa: ah', ['eva']],
    ['by first name', '@Eva, hi', 'ah, @Eva', ['eva']],
    ['not at all', '@Eva Costa, hi', 'hi', undefined],
  ])('keeps a mention that is written %s', (_, content, edited, expected) => {
    expect(mentionsAfter({ content, mentions: ['eva'] }, { content: edited })).toEqual(expected)
  })
})

describe('the mention of a reply', () => {
  it('stays after any edit', () => {
    const group = aChat({
      senderId: 'bruno',
      replyToId: 'g:1',
      mentions: ['ana', 'eva'],
      content: '@ana @eva',
    })
    group.recent.replace(aPost(1))
    const cold = edit_message(group, by('bruno'), { messageId: 'g:2', content: 'x', mentions: [] }, 5)
    // The group's first event is in memory, but it is not a post: it mentions nobody.
    expect(only(cold, 'change').message.mentions).toBeUndefined()
    for (let seq = 3; seq < 600; seq++) group.recent.push({ seq, message: aPost(seq) }, 0, 0)
    group.lastSeq = 599
    const asked = edit_message(group, by('bruno'), { messageId: 'g:2', content: 'y', mentions: ['eva'] }, 6)
    const post = { ...aPost(2), senderId: 'bruno', replyToId: 'g:1', mentions: ['ana', 'eva'] }
    const found = given(given(asked, post), aPost(1))
    expect(only(given(found, post), 'change').message.mentions).toEqual(['eva', 'ana'])
  })
})
