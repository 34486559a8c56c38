/**
 * Users for tests: a state for a handler, with or without a connection. No thread, no clock.
 */

import { type UserState, userState } from '../../engine/actors/user/user-state.ts'
import { SmallMap } from '../../engine/base/small-map.ts'

/** The user `ana`, who joined these groups with these seqs. */
export function aUser(groups: Readonly<Record<string, number>> = {}): UserState {
  return userState('ana', {
    name: 'Ana',
    picture: '',
    status: 'online',
    groups: Object.entries(groups),
    approached: [],
    large: [],
    blocked: [],
    isBlocked: false,
  })
}

/** Adds a session of the user that receives each of these groups live above the seq. */
export function connected(user: UserState, session: number, baselines: Readonly<Record<string, number>>) {
  const state = {
    phase: 'connected',
    baselines: new SmallMap(Object.entries(baselines)),
    resume: null,
  } as const
  user.sessions.set(session, { ...state })
}
