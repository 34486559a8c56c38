import { describe, expect, it } from 'vitest'
import { randomId, someRandomBytes } from '../../../engine/base/random-bytes.ts'

describe('random bytes of a pool', () => {
  it('are never given twice, across refills', () => {
    const ids = Array.from({ length: 5_000 }, () => randomId(12))
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.every((id) => /^[\w-]{16}$/.test(id))).toBe(true)
  })

  it('have the requested number, also where the pool ends', () => {
    for (let i = 0; i < 1_000; i++) expect(someRandomBytes(1 + (i % 64))).toHaveLength(1 + (i % 64))
  })
})
