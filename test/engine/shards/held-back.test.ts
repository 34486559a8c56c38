import { describe, expect, it } from 'vitest'
import { type Held, HeldBack } from '../../../engine/shards/held-back.ts'
import { by } from '../../support/groups.ts'

const answer = (name: string): Held => ({
  type: 'answer',
  to: by(name),
  frame: new Uint8Array(10),
  tempId: name,
})
const call = (release: () => void): Held => ({ type: 'call', release })
const show = (release: () => void): Held => ({ type: 'show', frame: null, release })

describe('held-back effects', () => {
  it('are released in order, up to the committed offset', () => {
    const held = new HeldBack()
    const given: (string | undefined)[] = []
    for (let offset = 1; offset <= 2_000; offset++) held.push(offset, 'g', answer(`a${offset}`))
    const give = (one: Held) => given.push(one.type === 'answer' ? one.tempId : undefined)
    held.release(0, give)
    expect(given).toEqual([])
    held.release(1_500, give)
    expect([given.length, given[0], given.at(-1), held.size]).toEqual([1_500, 'a1', 'a1500', 500])
    held.release(2_000, give)
    expect([given.length, held.size]).toEqual([2_000, 0])
  })

  it('drop their answers when commits fail, and retain the rest', () => {
    const held = new HeldBack()
    const done: string[] = []
    held.push(1, 'g', answer('a'))
    held.push(
      1,
      'g',
      show(() => done.push('shown')),
    )
    held.push(
      2,
      'g',
      call(() => done.push('called')),
    )
    held.push(2, 'g', answer('b'))
    expect(held.takeAnswers().map(({ tempId }) => tempId)).toEqual(['a', 'b'])
    expect([held.size, held.shows]).toEqual([2, 1])
    held.release(2, (one) => one.type !== 'answer' && one.release())
    expect([done, held.shows]).toEqual([['shown', 'called'], 0])
  })

  it('drop those that wait for refused entries of one owner, and retain the rest in order', () => {
    const held = new HeldBack()
    const done: string[] = []
    held.push(1, 'g', answer('before'))
    held.push(2, 'h', answer('other'))
    held.push(2, 'g', answer('refused'))
    held.push(
      3,
      'g',
      show(() => done.push('shown')),
    )
    expect(held.takeOf('g', 2).map((one) => (one.type === 'answer' ? one.tempId : one.type))).toEqual([
      'refused',
      'show',
    ])
    expect([held.size, held.shows]).toEqual([2, 0])
    held.release(3, (one) => done.push(one.type === 'answer' ? (one.tempId as string) : one.type))
    expect(done).toEqual(['before', 'other'])
  })

  it('are limited in number and in bytes', () => {
    const many = new HeldBack()
    for (let i = 0; i < 65_536; i++)
      many.push(
        i,
        'g',
        call(() => {}),
      )
    expect(many.full).toBe(true)
    many.release(0, () => {})
    expect(many.full).toBe(false)

    const large = new HeldBack()
    for (let i = 0; i < 64; i++) {
      expect(large.full).toBe(false)
      large.push(i, 'g', { type: 'show', frame: new Uint8Array(1_048_576), release: () => {} })
    }
    expect(large.full).toBe(true)
    large.release(0, () => {})
    expect(large.full).toBe(false)
  })
})
