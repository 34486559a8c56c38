/**
 * Emoji data: a Vite plugin that makes `virtual:emoji/en` and `virtual:emoji/pt` from emojibase-data.
 *
 * A line is `group|emoji|label|names|tags`: what the picker and `:name:` need, in a fifth of the size.
 */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const PREFIX = 'virtual:emoji/'
const MAX_TAGS = 4
/** Skin tones and hair, which are no emoji of their own. */
const COMPONENTS = 2

export function emojiData() {
  return {
    name: 'emoji-data',
    resolveId: (id) => (id.startsWith(PREFIX) ? `\0${id}` : undefined),
    load(id) {
      if (!id.startsWith(`\0${PREFIX}`)) return
      return `export const lines = ${JSON.stringify(emojiLines(id.slice(PREFIX.length + 1)))}`
    },
  }
}

/** The lines of a language. */
export function emojiLines(language) {
  const names = require('emojibase-data/en/shortcodes/github.json')
  const more = require('emojibase-data/en/shortcodes/emojibase.json')
  return require(`emojibase-data/${language}/compact.json`)
    .filter(({ group, order }) => group !== undefined && group !== COMPONENTS && order !== undefined)
    .sort((a, b) => a.order - b.order)
    .map(({ group, unicode, hexcode, label, tags = [] }) => {
      const known = [names[hexcode] ?? more[hexcode] ?? []].flat().slice(0, 2)
      const words = new Set(`${label} ${known.join(' ')}`.split(/[ _]/))
      const extra = tags.filter((tag) => !words.has(tag) && !tag.includes(' ')).slice(0, MAX_TAGS)
      return [group, normalForm(unicode), label, known.join(' '), extra.join(' ')].join('|')
    })
    .join('\n')
}

/** With variation selectors as the server writes them in reactions (RCT-1). */
function normalForm(emoji) {
  return emoji.replace(/(\p{Emoji_Presentation})\uFE0F/gu, '$1')
}
