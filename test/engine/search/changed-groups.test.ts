import { describe, expect, it } from 'vitest'
import { ChangedGroups, type ChangeNote } from '../../../engine/search/changed-groups.ts'
import type { LogEntry } from '../../../engine/stored/log-entry.ts'
import { aMemberEntry, aPostEntry } from '../../support/store.ts'

function changedGroups() {
  const notes: ChangeNote[] = []
  const changes = new ChangedGroups((note) => notes.push(note))
  return { changes, notes }
}

const post = (groupId: string, seq: number) => aPostEntry(seq, { groupId })
const event = (seq: number, target?: number): LogEntry => ({
  type: 'event',
  groupId: 'g',
  seq,
  code: 90,
  at: 0,
  frame: Buffer.of(0),
  target,
})

describe('changed groups', () => {
  it('are reported at once, and again only after the last note was handled', () => {
    const { changes, notes } = changedGroups()
    changes.committed([post('a', 2)])
    changes.committed([post('a', 3), post('b', 7)])
    changes.committed([post('a', 4)])
    expect(notes).toEqual([{ groups: [['a', 2]], all: false }])
    changes.handled()
    expect(notes[1]).toEqual({
      groups: [
        ['a', 4],
        ['b', 7],
      ],
      all: false,
    })
    changes.handled()
    expect(notes).toHaveLength(2)
    changes.committed([post('c', 2)])
    expect(notes).toHaveLength(3)
  })

  it('are those with new posts or with events about posts', () => {
    const { changes, notes } = changedGroups()
    changes.committed([aMemberEntry('g', 'ana'), event(2)])
    expect(notes).toEqual([])
    changes.committed([event(3, 2)])
    expect(notes).toEqual([{ groups: [['g', 3]], all: false }])
  })

  it('are not listed if there are too many', () => {
    const { changes, notes } = changedGroups()
    changes.committed([post('first', 2)])
    for (let i = 0; i < 20_000; i++) changes.committed([post(`g${i}`, 2)])
    changes.handled()
    expect(notes[1]?.all).toBe(true)
    expect(notes[1]?.groups.length).toBeLessThanOrEqual(10_000)
    changes.handled()
    expect(notes).toHaveLength(2)
  })
})
