/**
 * Session: the token of the signed-in user on this device.
 *
 * It arrives in the address (`#token=…` or `?token=…`), from where it is removed at once, and is stored, so
 * that the page opens without a network. A session of a trial belongs to its window only: two windows can
 * be two people. The policy of the page allows no script of others, which could read it.
 */

export interface Session {
  readonly token: string
  /** Of a trial: this window only. */
  readonly isTrial: boolean
}

const KEY = 'tertulia.token'
const TRIAL_KEY = 'tertulia.trial'

/** The session of this window; a token in the address replaces it. */
export function openSession(): Session | null {
  const token = takeFromAddress('token')
  const trial = takeFromAddress('trial')
  if (trial !== null) write(() => sessionStorage.setItem(TRIAL_KEY, trial))
  if (token !== null) return save({ token, isTrial: false })
  const own = read(() => sessionStorage.getItem(KEY))
  if (own) return { token: own, isTrial: true }
  // A link for a trial offers to choose a name also while somebody is signed in elsewhere.
  const stored = trialKey() === '' ? read(() => localStorage.getItem(KEY)) : null
  return stored ? { token: stored, isTrial: false } : null
}

export function save(session: Session): Session {
  write(() => storageOf(session).setItem(KEY, session.token))
  return session
}

export function forget(session: Session): void {
  write(() => storageOf(session).removeItem(KEY))
}

/** The token that is stored now: another tab may have replaced it. */
export function currentToken(session: Session): string {
  return read(() => storageOf(session).getItem(KEY)) ?? session.token
}

/** The key of the link that the server printed; empty for none. */
export function trialKey(): string {
  return read(() => sessionStorage.getItem(TRIAL_KEY)) ?? ''
}

function storageOf({ isTrial }: Session): Storage {
  return isTrial ? sessionStorage : localStorage
}

/** A value of the fragment or the query, which is removed from the address and the history. */
function takeFromAddress(name: string): string | null {
  const url = new URL(location.href)
  const fragment = url.hash.startsWith('#/') ? new URLSearchParams() : new URLSearchParams(url.hash.slice(1))
  const value = fragment.get(name) ?? url.searchParams.get(name)
  if (value === null) return null
  if (fragment.has(name)) {
    // A place may follow: `#token=…&to=/g/kitchen`.
    url.hash = fragment.get('to') ?? ''
  }
  url.searchParams.delete(name)
  history.replaceState(null, '', url)
  return value === '' ? null : value
}

/** Storage may be blocked or full: the session then lasts until the page closes. */
function write(change: () => void): void {
  try {
    change()
  } catch {
    return
  }
}

function read(get: () => string | null): string | null {
  try {
    return get()
  } catch {
    return null
  }
}
