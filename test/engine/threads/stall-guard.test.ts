import { describe, expect, it } from 'vitest'
import { StallGuard } from '../../../engine/threads/stall-guard.ts'
import { ManualClock } from '../../../testing/manual-clock.ts'

function aGuard() {
  const clock = new ManualClock()
  const state = { isWaiting: true, stalled: 0 }
  const guard = new StallGuard({
    after: (delayMs, then) => clock.after(delayMs, then),
    isWaiting: () => state.isWaiting,
    onStalled: () => {
      state.stalled += 1
    },
  })
  return { clock, state, guard }
}

describe('a stall guard', () => {
  it('reports once if nothing advances for five seconds', () => {
    const { clock, state, guard } = aGuard()
    guard.watch()
    clock.advance(4_999)
    expect(state.stalled).toBe(0)
    clock.advance(1)
    expect(state.stalled).toBe(1)
    clock.advance(60_000)
    expect(state.stalled).toBe(1)
  })

  it('starts again with each advance', () => {
    const { clock, state, guard } = aGuard()
    guard.watch()
    for (let i = 0; i < 10; i++) {
      clock.advance(4_000)
      guard.advanced()
    }
    expect(state.stalled).toBe(0)
    clock.advance(5_000)
    expect(state.stalled).toBe(1)
  })

  it('has no timer if nothing waits, and counts from the start afterwards', () => {
    const { clock, state, guard } = aGuard()
    guard.watch()
    clock.advance(4_000)
    state.isWaiting = false
    clock.advance(1_000)
    expect(clock.dueInMs).toEqual([])
    state.isWaiting = true
    guard.watch()
    clock.advance(4_999)
    expect(state.stalled).toBe(0)
    guard.close()
    guard.watch()
    expect(clock.dueInMs).toEqual([])
  })
})
