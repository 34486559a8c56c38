import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Alarms } from '../../../engine/shards/alarms.ts'
import { ManualClock } from '../../../testing/manual-clock.ts'

const typing = (id: string) => ({ to: 'group', id, what: 'typing' }) as const
const receipts = (id: string) => ({ to: 'group', id, what: 'receipts' }) as const
const offline = (id: string) => ({ to: 'user', id, what: 'offline' }) as const

/** Alarms on a clock that only the test advances. Alarms that have rung are recorded: `typing of g at 5`. */
function anAlarm() {
  const clock = new ManualClock()
  const rung: string[] = []
  const alarms = new Alarms(clock, ({ id, what }) => rung.push(`${what} of ${id} at ${clock.now()}`))
  return { clock, rung, alarms }
}

describe('alarms', () => {
  it('ring at their time, in order, with one timer', () => {
    const { clock, rung, alarms } = anAlarm()
    alarms.set(offline('ana'), 30)
    alarms.set(typing('g'), 10)
    alarms.set(receipts('g'), 20)
    expect(clock.dueInMs).toEqual([10])
    clock.advance(9)
    expect(rung).toEqual([])
    clock.advance(100)
    expect(rung).toEqual(['typing of g at 10', 'receipts of g at 20', 'offline of ana at 30'])
    expect(clock.dueInMs).toEqual([])
  })

  it('with the same name ring once, at the earlier time', () => {
    const { clock, rung, alarms } = anAlarm()
    for (const at of [50, 20, 70]) alarms.set(typing('g'), at)
    clock.advance(100)
    expect(rung).toEqual(['typing of g at 20'])
  })

  it('hold their actor in memory until the last has rung', () => {
    const { clock, alarms } = anAlarm()
    alarms.set(typing('g'), 10)
    alarms.set(receipts('g'), 20)
    expect([alarms.waits('group', 'g'), alarms.waits('user', 'g'), alarms.size]).toEqual([true, false, 1])
    clock.advance(10)
    expect(alarms.waits('group', 'g')).toBe(true)
    clock.advance(10)
    expect([alarms.waits('group', 'g'), alarms.size]).toEqual([false, 0])
  })

  it('may be set again when they ring', () => {
    const clock = new ManualClock()
    const rung: number[] = []
    const alarms: Alarms = new Alarms(clock, (alarm) => {
      rung.push(clock.now())
      if (rung.length < 3) alarms.set(alarm, 5)
    })
    alarms.set(typing('g'), 5)
    clock.advance(100)
    expect(rung).toEqual([5, 10, 15])
  })

  it('that are overdue ring in the next turn', () => {
    const { clock, rung, alarms } = anAlarm()
    clock.advance(50)
    alarms.set(typing('g'), 0)
    expect(rung).toEqual([])
    clock.advance(0)
    expect(rung).toEqual(['typing of g at 50'])
  })

  it('all ring when the shard drains, and new ones are ignored', () => {
    const clock = new ManualClock()
    const rung: string[] = []
    const alarms: Alarms = new Alarms(clock, (alarm) => {
      rung.push(alarm.id)
      alarms.set(alarm, clock.now() + 10)
    })
    alarms.set(typing('g'), 10)
    alarms.set(offline('ana'), 5)
    alarms.ringAll()
    expect([rung, alarms.size, clock.dueInMs]).toEqual([['ana', 'g'], 0, []])
    // An alarm set later, by an actor that was loading, rings when the shard drains again.
    alarms.set(typing('h'), 10)
    alarms.ringAll()
    expect(rung).toEqual(['ana', 'g', 'h'])
  })

  it('do not ring after the end', () => {
    const { clock, rung, alarms } = anAlarm()
    alarms.set(typing('g'), 10)
    alarms.close()
    alarms.set(typing('h'), 10)
    clock.advance(100)
    expect([rung, clock.dueInMs]).toEqual([[], []])
  })

  it('each ring at the earliest time, in whatever order they are set', () => {
    const set = fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), at: fc.nat(50) })
    fc.assert(
      fc.property(fc.array(set, { maxLength: 60 }), (asked) => {
        const { clock, rung, alarms } = anAlarm()
        const earliest = new Map<string, number>()
        for (const { id, at } of asked) {
          alarms.set(typing(id), at)
          earliest.set(id, Math.min(at, earliest.get(id) ?? at))
        }
        clock.advance(100)
        const expected = [...earliest].map(([id, at]) => `typing of ${id} at ${at}`)
        expect([...rung].sort()).toEqual(expected.sort())
        const times = rung.map((line) => Number(line.split(' ').at(-1)))
        expect(times).toEqual([...times].sort((a, b) => a - b))
      }),
    )
  })
})
