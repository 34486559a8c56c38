import { describe, expect, it } from 'vitest'
import { getMembers } from '../../../engine/actors/group/member-pages.ts'
import { aGroup, aMember, by, only } from '../../support/groups.ts'
import { refusal } from '../../support/sessions.ts'

/** `ana`, then ten members who joined with one event, unsorted. */
function aCrowd() {
  const group = aGroup({ ana: 'admin' })
  for (const n of [4, 7, 0, 9, 2, 5, 1, 8, 3, 6])
    group.members.set(`u${n}`, aMember(`u${n}`, { joinedSeq: 2 }))
  return group
}

function page(group: ReturnType<typeof aCrowd>, fields: { cursor?: string | undefined; limit?: number }) {
  const { event } = only(getMembers(group, by('ana'), { groupId: 'g', ...fields }, 0), 'answer')
  if (event.name !== 'members') throw new Error(event.name)
  return { ids: event.fields.members.map(({ userId }) => userId), cursor: event.fields.cursor }
}

describe('get_members', () => {
  // PAG-1
  it.each([1, 2, 3, 5, 10, 11])('lists every member once, %d at a time', (limit) => {
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const next = page(aCrowd(), { cursor, limit })
      seen.push(...next.ids)
      cursor = next.cursor
    } while (cursor !== undefined)
    expect(seen).toEqual(['ana', ...Array.from({ length: 10 }, (_, n) => `u${n}`)])
  })

  it('skips nobody if members of earlier pages leave, and lists new members at the end', () => {
    const group = aCrowd()
    const first = page(group, { limit: 4 })
    for (const userId of first.ids.slice(1)) group.members.delete(userId)
    group.members.set('a-new', aMember('a-new', { joinedSeq: 3 }))
    expect(page(group, { cursor: first.cursor })).toEqual({
      ids: ['u3', 'u4', 'u5', 'u6', 'u7', 'u8', 'u9', 'a-new'],
      cursor: undefined,
    })
  })

  it('ends a page before it exceeds the maximum frame size', () => {
    const group = aGroup({ ana: 'admin' })
    for (let i = 0; i < 500; i++) {
      const userId = `${String(i).padStart(3, '0')}${'\u4e2d'.repeat(40)}`
      group.members.set(userId, aMember(userId, { name: '"'.repeat(250), joinedSeq: 2 }))
    }
    const { ids, cursor } = page(group, { limit: 500 })
    expect(ids.length).toBeLessThan(500)
    expect(page(group, { cursor }).ids[0]).toMatch(String(ids.length - 1).padStart(3, '0'))
  })

  it.each(['5', ':u1', 'x:u1', '1:'])('refuses the cursor "%s"', (cursor) => {
    expect(() => page(aCrowd(), { cursor })).toThrow(
      expect.objectContaining(refusal('bad_request', 'cursor')),
    )
  })
})
