/**
 * Search: a text with filters, and the hits with jumps to them. It searches while the user types.
 */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { SearchQuery } from '../../../client/store/types.ts'
import type { SearchHit } from '../../../protocol/records.ts'
import { useShell, useView } from '../../shell.ts'
import { snippetParts } from '../../text/snippet.ts'
import { Button } from '../../ui/button.tsx'

const WAIT_MS = 250
const MIN_LENGTH = 2

interface Filters {
  readonly text: string
  readonly isEverywhere: boolean
  readonly senderId: string
  readonly after: string
  readonly before: string
}

export function SearchPanel({ groupId }: { readonly groupId: string | null }) {
  const { store, texts, fail, announce } = useShell()
  const t = texts.conversation
  const view = useView(store.search)
  const [filters, setFilters] = useState<Filters>({
    text: '',
    isEverywhere: groupId === null,
    senderId: '',
    after: '',
    before: '',
  })
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => input.current?.focus(), [])
  useEffect(() => {
    const query = queryOf(filters, groupId)
    const timer = setTimeout(() => store.find(query).catch(fail), query ? WAIT_MS : 0)
    return () => clearTimeout(timer)
  }, [filters, groupId, store, fail])
  const isDone = view.state === 'done'
  useEffect(() => {
    if (isDone && view.query) announce(t.hits(view.hits.length))
  }, [isDone, view.query, view.hits.length, announce, t])
  const set = (change: Partial<Filters>) => setFilters((before) => ({ ...before, ...change }))
  return (
    <div class="search-panel">
      {/* biome-ignore lint/a11y/useSemanticElements: `search` is not in the types of Preact yet. */}
      <div role="search" class="stack search-form">
        <input
          ref={input}
          class="field"
          type="search"
          value={filters.text}
          placeholder={t.searchText}
          aria-label={t.searchText}
          onInput={(event) => set({ text: event.currentTarget.value })}
        />
        <details class="search-filters">
          <summary>{t.filters}</summary>
          <div class="stack">
            {groupId !== null && (
              <label class="check">
                <input
                  type="checkbox"
                  checked={filters.isEverywhere}
                  onChange={(event) => set({ isEverywhere: event.currentTarget.checked, senderId: '' })}
                />
                {t.allChats}
              </label>
            )}
            {groupId !== null && !filters.isEverywhere && (
              <Senders
                groupId={groupId}
                value={filters.senderId}
                onChange={(senderId) => set({ senderId })}
              />
            )}
            <div class="search-dates">
              <label class="label">
                {t.after}
                <input
                  class="field"
                  type="date"
                  value={filters.after}
                  onInput={(event) => set({ after: event.currentTarget.value })}
                />
              </label>
              <label class="label">
                {t.before}
                <input
                  class="field"
                  type="date"
                  value={filters.before}
                  onInput={(event) => set({ before: event.currentTarget.value })}
                />
              </label>
            </div>
          </div>
        </details>
      </div>
      {view.state === 'failed' && <p class="panel-empty">{view.failure?.message}</p>}
      {isDone && view.hits.length === 0 && <p class="panel-empty">{t.noHits}</p>}
      {view.query && (
        <ul class="panel-list" aria-busy={view.state === 'searching'}>
          {view.hits.map((hit) => (
            <Hit
              key={hit.message.messageId}
              hit={hit}
              groupId={groupId}
              isEverywhere={filters.isEverywhere}
            />
          ))}
        </ul>
      )}
      {view.state === 'searching' && <p class="mark">{texts.shell.loading}</p>}
      {isDone && view.hasMore && (
        <Button onClick={() => store.findMore().catch(fail)}>{texts.shell.moreGroups}</Button>
      )}
    </div>
  )
}

interface HitProps {
  readonly hit: SearchHit
  readonly groupId: string | null
  readonly isEverywhere: boolean
}

function Hit({ hit, groupId, isEverywhere }: HitProps) {
  const { store, navigation, format, fail } = useShell()
  const { groups } = useView(store.groups)
  const { message, snippet } = hit
  const title = groups.find((group) => group.groupId === message.groupId)?.title
  const jump = () => {
    if (message.groupId !== groupId)
      navigation.go({ groupId: message.groupId, seq: message.seq, panel: 'search' })
    else store.group(message.groupId).jumpTo({ seq: message.seq }).catch(fail)
    // On a phone the panel covers the conversation.
    if (matchMedia('(max-width: 44rem)').matches) navigation.go({ panel: null })
  }
  return (
    <li class="hit">
      <button type="button" class="hit-body" onClick={jump}>
        <span class="hit-head">
          <strong class="ellipsis">{message.senderName || message.senderId}</strong>
          {isEverywhere && title && <span class="soft small ellipsis">{title}</span>}
          <span class="soft small hit-time">{format.short(message.createdAt)}</span>
        </span>
        <span class="hit-text">
          {snippetParts(snippet).map(({ text, isMatch }, i) =>
            // biome-ignore lint/suspicious/noArrayIndexKey: the parts have no other identity.
            isMatch ? <mark key={i}>{text}</mark> : text,
          )}
        </span>
      </button>
    </li>
  )
}

interface SendersProps {
  readonly groupId: string
  readonly value: string
  readonly onChange: (userId: string) => void
}

function Senders({ groupId, value, onChange }: SendersProps) {
  const { store, texts } = useShell()
  const handle = useMemo(() => store.group(groupId), [store, groupId])
  const { members } = useView(handle.members)
  return (
    <label class="label">
      {texts.conversation.from}
      <select class="field" value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">{texts.conversation.anyone}</option>
        {members.map(({ userId, name }) => (
          <option key={userId} value={userId}>
            {name || userId}
          </option>
        ))}
      </select>
    </label>
  )
}

/** The query of the filters; null for a text that is too short. Days are those of the reader. */
function queryOf(filters: Filters, groupId: string | null): SearchQuery | null {
  const text = filters.text.trim()
  if (text.length < MIN_LENGTH) return null
  const after = filters.after && new Date(`${filters.after}T00:00`).getTime()
  const before = filters.before && new Date(`${filters.before}T23:59:59.999`).getTime()
  return {
    text,
    ...(!filters.isEverywhere && groupId !== null && { groupId }),
    ...(filters.senderId && { senderId: filters.senderId }),
    ...(after && { after }),
    ...(before && { before }),
  }
}
