import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { newId } from '../../../engine/base/new-id.ts'
import { LANES, laneOf, partitionOf, shardOf, shardOfBytes } from '../../../engine/base/partition.ts'
import { BatchWriter, readBatch } from '../../../engine/threads/batch.ts'

/** An writer whose turns end when the test ends them. */
function aBatchWriter() {
  const batches: Uint8Array[] = []
  const turns: (() => void)[] = []
  const writer = new BatchWriter(
    (batch) => batches.push(batch),
    (task) => turns.push(task),
  )
  const endTurn = () => {
    for (const task of turns.splice(0)) task()
  }
  return { writer, batches, endTurn, turns }
}

/** Bytes as text, one character each: fast to compare. */
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')

function recordsOf(batch: Uint8Array) {
  const records: { kind: number; number: number; id: string; body: string }[] = []
  readBatch(batch, (kind, number, id, body) =>
    records.push({ kind, number, id: latin1(id), body: latin1(body) }),
  )
  return records
}

describe('an writer', () => {
  it('delivers everything of a turn as one batch, in order, and nothing for an empty turn', () => {
    const record = fc.record({
      kind: fc.integer({ min: 0, max: 255 }),
      number: fc.integer({ min: 0, max: 0xffff_ffff }),
      id: fc.uint8Array({ maxLength: 80 }).map(latin1),
      // Large enough that a few exceed a buffer that starts at 4 KiB.
      body: fc.tuple(fc.nat(255), fc.nat(9_000)).map(([byte, length]) => latin1(Buffer.alloc(length, byte))),
    })
    fc.assert(
      fc.property(fc.array(fc.array(record, { maxLength: 12 }), { maxLength: 4, size: 'max' }), (turns) => {
        const { writer, batches, endTurn } = aBatchWriter()
        for (const records of turns) {
          for (const { kind, number, id, body } of records) {
            writer.push(kind, number, Buffer.from(id, 'latin1'), Buffer.from(body, 'latin1'))
          }
          endTurn()
        }
        expect(batches.map(recordsOf)).toEqual(turns.filter((records) => records.length > 0))
      }),
      { seed: 3, numRuns: 60 },
    )
  })

  it('schedules one end per turn, and transfers a buffer that nothing else uses', () => {
    const { writer, batches, endTurn, turns } = aBatchWriter()
    writer.push(1, 1)
    writer.push(1, 2)
    expect(turns.length).toBe(1)
    endTurn()
    writer.push(1, 3)
    endTurn()
    expect(batches.length).toBe(2)
    // The buffer is transferred to another thread, so it must not be shared.
    expect(batches[0]?.buffer).not.toBe(batches[1]?.buffer)
    expect(
      structuredClone(batches[0]?.buffer, { transfer: [batches[0]?.buffer as ArrayBuffer] }),
    ).toBeDefined()
  })
})

describe('partitions', () => {
  const bytes = (text: string) => new TextEncoder().encode(text)

  it('are the FNV-1a hash of the id’s bytes, at any position in a buffer', () => {
    expect(partitionOf(bytes('a'))).toBe(0xe40c292c % 1_024)
    expect(partitionOf(bytes('foobar'))).toBe(0xbf9cf968 % 1_024)
    expect(partitionOf(bytes('..foobar.'), 2, 8)).toBe(partitionOf(bytes('foobar')))
    expect(laneOf('reunião')).toBe(partitionOf(bytes('reunião')) % LANES)
    expect(shardOf('reunião', 7)).toBe(laneOf('reunião') % 7)
    expect(shardOfBytes(bytes('..reunião'), 2, 10, 7)).toBe(shardOf('reunião', 7))
  })

  it('number 1,024, and ids are spread evenly over them', () => {
    const counts = new Array<number>(1_024).fill(0)
    for (let i = 0; i < 64 * 1_024; i++) (counts[partitionOf(bytes(`user-${i}`))] as number) += 1
    // 64 each on average. Of a million random samples, only a few exceed five deviations.
    expect(Math.min(...counts)).toBeGreaterThan(64 - 5 * 8)
    expect(Math.max(...counts)).toBeLessThan(64 + 5 * 8)
  })

  it('spread new ids over the shards', () => {
    const counts = [0, 0, 0, 0]
    for (let i = 0; i < 4_000; i++) (counts[shardOf(newId(i), 4)] as number) += 1
    for (const count of counts) expect(count).toBeGreaterThan(800)
  })
})

describe('a new id', () => {
  it('is a group id, sorts by time, and is unique', () => {
    const ids = [0, 1, 999, 1_795_455_851_463, 2 ** 48 - 1].map((now) => newId(now))
    expect([...ids].sort()).toEqual(ids)
    for (const id of ids) expect(id).toMatch(/^[0-9a-hjkmnp-tv-z]{26}$/)
    expect(newId(1)).not.toBe(newId(1))
  })
})
