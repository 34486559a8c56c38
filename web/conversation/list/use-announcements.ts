/**
 * Announcements: has a screen reader say each message that arrives in the group on show, once, and each
 * of the user's messages that was refused. Silent while the group is muted.
 */
import { useEffect, useRef } from 'preact/hooks'
import type { GroupHandle, GroupItem, WindowView } from '../../../client/store/types.ts'
import { useShell } from '../../shell.ts'
import { Arrivals, announcementsOf } from './arrivals.ts'
import { contentOf } from './sentences.ts'

export function useAnnouncements(handle: GroupHandle, view: WindowView, info: GroupItem | null): void {
  const { texts, announce } = useShell()
  const state = useRef({ handle, arrivals: new Arrivals(), failed: new Set<string>() })
  useEffect(() => {
    if (state.current.handle !== handle)
      state.current = { handle, arrivals: new Arrivals(), failed: new Set() }
    const { arrivals, failed } = state.current
    const t = texts.conversation
    const isMuted = (info?.mutedUntil ?? 0) > Date.now()
    const isEmpty = info !== null && !info.lastMessage && info.readSeq === 0 && info.unread === 0
    const arrived = arrivals.take(view.items, info?.lastMessage, isEmpty)
    if (!isMuted) {
      const lines = announcementsOf(
        arrived,
        (item) => t.announce(item.sender.name, contentOf(item, texts)),
        t.announceMany,
      )
      for (const line of lines) announce(line)
    }
    for (const item of view.items) {
      if (item.kind !== 'message' || item.state !== 'failed' || failed.has(item.key)) continue
      failed.add(item.key)
      announce(t.announceFailed(contentOf(item, texts)), 'assertive')
    }
  }, [handle, view, info, texts, announce])
}
