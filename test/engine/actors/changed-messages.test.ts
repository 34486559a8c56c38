import { describe, expect, it } from 'vitest'
import { ChangedMessages } from '../../../engine/actors/group/changed-messages.ts'
import { aPost } from '../../support/groups.ts'

const post = aPost(2)
const edited = { ...post, content: 'better' }
const again = { ...post, content: 'best' }

describe('changed messages', () => {
  it('are found in the state after their newest change', () => {
    const changed = new ChangedMessages()
    expect(changed.find(2)).toBeUndefined()
    changed.set(edited, post, 3, 1, 3)
    changed.set(again, edited, 4, 2, 4)
    expect(changed.find(2)).toBe(again)
  })

  it('are shown with the changes that members have been shown', () => {
    const changed = new ChangedMessages()
    expect(changed.shown(post, 2)).toBe(post)
    changed.set(edited, post, 3, 1, 2)
    expect(changed.shown(post, 2)).toBe(post)
    expect(changed.shown(post, 3)).toBe(edited)
    // The first change is shown, the second is not yet.
    changed.set(again, edited, 4, 2, 3)
    expect(changed.shown(post, 3)).toBe(edited)
    expect(changed.shown(post, 4)).toBe(again)
  })

  it('are shown with the first of two changes if both were made before the first was shown', () => {
    const changed = new ChangedMessages()
    changed.set(edited, post, 3, 1, 2)
    changed.set(again, edited, 4, 2, 2)
    changed.rename('ana', 'Ana M.')
    const shown = [2, 3, 4].map((publishedSeq) => changed.shown(post, publishedSeq))
    expect(shown).toEqual([post, edited, again].map((one) => ({ ...one, senderName: 'Ana M.' })))
  })

  it('stay in memory until they are committed and shown, and are dropped oldest first', () => {
    const changed = new ChangedMessages()
    for (let seq = 1; seq <= 100; seq++) changed.set(aPost(seq), aPost(seq), 1_000 + seq, seq, 0)
    const left: number[] = []
    const tidy = (committed: number, published: number) =>
      changed.tidy(committed, published, ({ seq }) => left.push(seq))
    tidy(10, 1_005)
    expect(left).toEqual([1, 2, 3, 4, 5])
    tidy(10, 2_000)
    expect(left).toHaveLength(10)
    tidy(100, 2_000)
    expect(left).toHaveLength(36)
    expect(changed.find(36)).toBeUndefined()
    expect(changed.find(37)?.seq).toBe(37)
  })
})
