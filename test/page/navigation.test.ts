import { describe, expect, it } from 'vitest'
import { hashOf, memoryNavigation, type Place, placeOf } from '../../web/navigation.ts'

const home: Place = { groupId: null, seq: null, panel: null }

describe('places', () => {
  it('are the same after they were written to an address and read from it', () => {
    const places: Place[] = [
      home,
      { groupId: 'kitchen', seq: null, panel: null },
      { groupId: 'a_b-C9', seq: 7, panel: 'members' },
      { groupId: null, seq: null, panel: 'search' },
    ]
    for (const place of places) expect(placeOf(hashOf(place))).toEqual(place)
  })

  it('of any other address are home, or the part that is valid', () => {
    for (const hash of ['', '#', '#token=abc', '#/g/', '#/g/%E0%A4%A', '#/x/y'])
      expect(placeOf(hash)).toEqual(home)
    for (const query of ['seq=-1', 'seq=1.5', 'seq=x', 'panel=admin', 'seq=']) {
      expect(placeOf(`#/g/kitchen?${query}`)).toEqual({ ...home, groupId: 'kitchen' })
    }
  })
})

describe('navigation', () => {
  it('leaves seq and panel with another group, and reports a change once', () => {
    const { place, go } = memoryNavigation()
    let changes = 0
    const end = place.subscribe(() => changes++)
    go({ groupId: 'kitchen', panel: 'members' })
    go({ seq: 5 })
    expect(place.getSnapshot()).toEqual({ groupId: 'kitchen', seq: 5, panel: 'members' })
    const before = place.getSnapshot()
    go({ groupId: 'kitchen' })
    expect(place.getSnapshot()).toBe(before)
    go({ groupId: 'garden' })
    expect(place.getSnapshot()).toEqual({ groupId: 'garden', seq: null, panel: null })
    expect(changes).toBe(3)
    end()
    go(home)
    expect(changes).toBe(3)
  })
})
