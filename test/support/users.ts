/**
 * Users in tests: a state to hand to a handler, with or without a connection. No thread, no clock.
 */
import { type UserState, userState } from '../../engine/actors/user/user-state.ts'

/** The user `ana`, who joined these groups by the events with these numbers. */
export function aUser(groups: Readonly<Record<string, number>> = {}): UserState {
  return userState('ana', {
    name: 'Ana',
    picture: '',
    status: 'online',
    groups: Object.entries(groups),
    approached: [],
    blocked: [],
    isBlocked: false,
  })
}

/** Gives the user a session that hears each of these groups live above the number. */
export function connected(user: UserState, session: number, baselines: Readonly<Record<string, number>>) {
  const state = { phase: 'connected', baselines: new Map(Object.entries(baselines)), resume: null } as const
  user.sessions.set(session, { ...state })
}
