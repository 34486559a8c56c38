/**
 * Session: the signed-in user of this device, and their token.
 *
 * The token arrives in the address (`#token=…` or `?token=…`), from where it is removed at once, and is
 * stored, so that the page opens without a network. A session of a trial belongs to its window only: two
 * windows can be two people. The policy of the page allows no script of others, which could read it.
 */

export interface Session {
  readonly token: string
  /** The server's id of the user once it is known, before that the token's `sub`; empty if it has none. */
  readonly userId: string
  /** Of a trial: this window only. */
  readonly isTrial: boolean
}

const KEY = 'tertulia.session'
const TRIAL_KEY = 'tertulia.trial'

export interface OpenedSession {
  readonly session: Session | null
  /** The session of another user, which a token in the address has replaced. */
  readonly replaced: Session | null
}

/** The session of this window; a token in the address replaces it. */
export function openSession(): OpenedSession {
  const token = takeFromAddress('token')
  const trial = takeFromAddress('trial')
  if (trial !== null) write(() => sessionStorage.setItem(TRIAL_KEY, trial))
  const own = stored(sessionStorage, true)
  const shared = stored(localStorage, false)
  if (token !== null) {
    const session = renewed(token, shared)
    return { session: save(session), replaced: shared && shared.userId !== session.userId ? shared : null }
  }
  // A link for a trial offers to choose a name, also while somebody is signed in elsewhere.
  return { session: own ?? (trialKey() === '' ? shared : null), replaced: null }
}

/** The session for a new token: of the same user as `before` if both tokens have the same subject. */
export function renewed(token: string, before: Session | null): Session {
  const subject = subjectOf(token)
  const isSame = before !== null && subject === subjectOf(before.token)
  return { token, userId: isSame ? before.userId : subject, isTrial: before?.isTrial ?? false }
}

/** Stores the session. */
export function save(session: Session): Session {
  const { token, userId } = session
  write(() => storageOf(session).setItem(KEY, JSON.stringify({ token, userId })))
  return session
}

export function forget(session: Session): void {
  write(() => storageOf(session).removeItem(KEY))
}

/** The token that is stored now: another tab may have replaced it. */
export function currentToken(session: Session): string {
  return stored(storageOf(session), session.isTrial)?.token ?? session.token
}

function stored(storage: Storage, isTrial: boolean): Session | null {
  const text = read(() => storage.getItem(KEY))
  try {
    const { token, userId } = JSON.parse(text ?? '{}') as Partial<Session>
    return token && userId !== undefined ? { token, userId, isTrial } : null
  } catch {
    return null
  }
}

/** The `sub` of a token. It is only a name for what is stored: the server verifies tokens. */
function subjectOf(token: string): string {
  return claimOf(token, 'sub')
}

/** The name in a token, to show before the server has sent it; empty if there is none. */
export function nameIn(token: string): string {
  return claimOf(token, 'name')
}

function claimOf(token: string, name: string): string {
  try {
    const payload = (token.split('.')[1] ?? '').replace(/-/g, '+').replace(/_/g, '/')
    const bytes = Uint8Array.from(atob(payload), (char) => char.charCodeAt(0))
    const value = (JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>)[name]
    return typeof value === 'string' ? value : ''
  } catch {
    return ''
  }
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
