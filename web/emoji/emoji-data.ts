/**
 * Emoji data: loaded when emoji are first searched, in the user's language. The file is made from
 * emojibase-data when the page is built, and is served with it.
 */
import { folded } from '../conversation/composer/completion.ts'

export interface Emoji {
  readonly emoji: string
  readonly label: string
  /** English names for `:name:`. */
  readonly names: readonly string[]
  readonly group: number
  /** For the search: label, names and tags, folded. */
  readonly words: string
}

const loads = {
  en: () => import('virtual:emoji/en'),
  pt: () => import('virtual:emoji/pt'),
}

const loaded = new Map<string, Promise<readonly Emoji[]>>()

/** All emoji, in their usual order. */
export function loadEmoji(locale: string): Promise<readonly Emoji[]> {
  const language = locale.startsWith('pt') ? 'pt' : 'en'
  let emoji = loaded.get(language)
  if (!emoji) {
    emoji = loads[language]().then(({ lines }) => lines.split('\n').map(emojiOf))
    loaded.set(language, emoji)
    // It may succeed later, with a network.
    emoji.catch(() => loaded.delete(language))
  }
  return emoji
}

function emojiOf(line: string): Emoji {
  const [group = '', emoji = '', label = '', names = '', tags = ''] = line.split('|')
  return {
    group: Number(group),
    emoji,
    label,
    names: names.split(' '),
    words: folded(` ${label} ${names} ${tags}`),
  }
}

/** The emoji for a query: those with a name that begins with it first. */
export function searchEmoji(all: readonly Emoji[], query: string, max: number): readonly Emoji[] {
  const wanted = folded(query.trim())
  const first: Emoji[] = []
  const others: Emoji[] = []
  for (const one of all) {
    if (one.names.some((name) => name.startsWith(wanted))) first.push(one)
    else if (one.words.includes(` ${wanted}`)) others.push(one)
  }
  first.sort((a, b) => shortest(a, wanted) - shortest(b, wanted))
  return [...first, ...others].slice(0, max)
}

function shortest(emoji: Emoji, wanted: string): number {
  return Math.min(...emoji.names.filter((name) => name.startsWith(wanted)).map((name) => name.length))
}

const RECENT = 'tertulia.emoji'
const MAX_RECENT = 24

/** The emoji that the user chose last. */
export function recentEmoji(): readonly string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(RECENT) ?? '[]')
    return Array.isArray(stored) ? stored.filter((one) => typeof one === 'string').slice(0, MAX_RECENT) : []
  } catch {
    return []
  }
}

export function rememberEmoji(emoji: string): void {
  try {
    const recent = [emoji, ...recentEmoji().filter((one) => one !== emoji)].slice(0, MAX_RECENT)
    localStorage.setItem(RECENT, JSON.stringify(recent))
  } catch {
    // Storage is full or not allowed: nothing is remembered.
  }
}
