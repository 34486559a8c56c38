/**
 * Reconnection: how members return after their server went away, the same for every peer: each after a
 * random part of a second, then again after each failed attempt.
 */
import type { Member } from '../load/member.ts'
import type { PeerCrowd } from '../load/peer-crowd.ts'

const FIRST_WITHIN_MS = 1_000
const RETRY_MS = 300
const RETRY_WITHIN_MS = 700

/** Starts to reconnect every member whose connection ends; the returned function stops it. */
export function reconnectAll(crowd: PeerCrowd): () => void {
  let isOn = true
  const opened = new Set<Member>()
  crowd.onClosed = (member) => {
    if (!isOn) return
    const wait = opened.has(member)
      ? RETRY_MS + Math.random() * RETRY_WITHIN_MS
      : Math.random() * FIRST_WITHIN_MS
    opened.add(member)
    setTimeout(() => {
      if (isOn) crowd.open(member)
    }, wait)
  }
  const onLive = crowd.onLive
  crowd.onLive = (member) => {
    opened.delete(member)
    onLive?.(member)
  }
  return () => {
    isOn = false
    crowd.onClosed = null
    crowd.onLive = onLive
  }
}
