/**
 * Emoji picker: a search field, groups, and a grid that the arrow keys move in.
 */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { useShell, useView } from '../shell.ts'
import { useLoaded } from '../ui/lazy.tsx'
import { loadEmoji, recentEmoji, rememberEmoji, searchEmoji } from './emoji-data.ts'
import { withSkinTone } from './skin-tone.ts'

const COLUMNS = 8
const MAX_FOUND = 64
/** Groups of emojibase-data; 2 has no emoji of its own. */
const groups = [
  [0, '😀'],
  [1, '👋'],
  [3, '🐻'],
  [4, '🍔'],
  [5, '🚀'],
  [6, '⚽'],
  [7, '💡'],
  [8, '❤️'],
  [9, '🏁'],
] as const

export function EmojiPicker({ onChoose }: { readonly onChoose: (emoji: string) => void }) {
  const { texts, format, preferences } = useShell()
  const { skinTone } = useView(preferences)
  const t = texts.conversation
  const load = useCallback(() => loadEmoji(format.locale), [format])
  const all = useLoaded(load)
  const [query, setQuery] = useState('')
  const [group, setGroup] = useState<number>(0)
  const input = useRef<HTMLInputElement>(null)
  const grid = useRef<HTMLDivElement>(null)
  useEffect(() => {
    input.current?.focus()
  }, [])
  const recent = useMemo(recentEmoji, [])
  const shown = useMemo(() => {
    if (!all) return []
    return query.trim() === '' ? all.filter((one) => one.group === group) : searchEmoji(all, query, MAX_FOUND)
  }, [all, query, group])
  const choose = (emoji: string) => {
    rememberEmoji(emoji)
    onChoose(emoji)
  }
  const moveIn = (event: KeyboardEvent) => {
    const cells = [...(grid.current?.querySelectorAll<HTMLElement>('.emoji') ?? [])]
    const at = cells.indexOf(document.activeElement as HTMLElement)
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS }[event.key]
    if (step === undefined || at < 0) return
    event.preventDefault()
    event.stopPropagation()
    if (at + step < 0) input.current?.focus()
    else cells[Math.min(at + step, cells.length - 1)]?.focus()
  }
  const cell = (emoji: string, label: string, isFirst: boolean) => (
    <button
      key={emoji}
      type="button"
      class="emoji"
      aria-label={label}
      title={label}
      tabIndex={isFirst ? 0 : -1}
      onClick={() => choose(emoji)}
    >
      {emoji}
    </button>
  )
  return (
    <div class="emoji-picker">
      <input
        ref={input}
        class="field"
        type="search"
        value={query}
        placeholder={t.searchEmoji}
        aria-label={t.searchEmoji}
        onInput={(event) => setQuery(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && shown[0]) {
            event.preventDefault()
            choose(withSkinTone(shown[0].emoji, skinTone))
          } else if (event.key === 'ArrowDown') {
            event.preventDefault()
            grid.current?.querySelector<HTMLElement>('.emoji')?.focus()
          }
        }}
      />
      {/* biome-ignore lint/a11y/useSemanticElements: buttons that choose a part of the grid. */}
      <div class="emoji-groups" role="group" aria-label={t.emojiGroups}>
        {groups.map(([id, sign], i) => (
          <button
            key={id}
            type="button"
            class="emoji-group"
            aria-pressed={query === '' && id === group}
            aria-label={t.emojiGroupNames[i]}
            title={t.emojiGroupNames[i]}
            onClick={() => {
              setGroup(id)
              setQuery('')
              grid.current?.scrollTo(0, 0)
            }}
          >
            {sign}
          </button>
        ))}
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: the buttons of one field of keys. */}
      <div ref={grid} class="emoji-scroller" role="group" aria-label={t.emoji} onKeyDown={moveIn}>
        {query === '' && group === 0 && recent.length > 0 && (
          <>
            <h3 class="emoji-title">{t.recentEmoji}</h3>
            <div class="emoji-grid">{recent.map((one, i) => cell(one, one, i === 0))}</div>
            <h3 class="emoji-title">{t.emojiGroupNames[0]}</h3>
          </>
        )}
        <div class="emoji-grid">
          {shown.map((one, i) =>
            cell(
              withSkinTone(one.emoji, skinTone),
              one.label,
              i === 0 && !(query === '' && group === 0 && recent.length > 0),
            ),
          )}
        </div>
        {shown.length === 0 && <p class="mark">{all ? t.noEmoji : texts.shell.loading}</p>}
      </div>
    </div>
  )
}
