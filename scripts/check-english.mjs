/**
 * English check: finds words that the project does not use in code, comments, tests and documents.
 *
 * The list contains words with a standard term that says the same (stored, receives, lagging …). It
 * is precise rather than complete: a hit is nearly always a mistake. Identifiers are split at their
 * capitals, and a phrase is also found across two lines of a comment. Every file is checked unless it
 * is generated.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Pattern and replacement. A space in a pattern also matches a line break. */
const words = [
  ['kept', 'stored, retained'],
  ['hears?|heard', 'receives, is notified'],
  ['told|tells', 'notified, reports, states'],
  ['(?:is|are|was|were|be|been) said', 'is reported'],
  ['anew', 'again'],
  ['whoever|whom', '(rephrase)'],
  ['lest|ere|hitherto|thereof|hence', '(rephrase)'],
  ['mend(?:s|ed|ing)?', 'fix'],
  ['gone', 'disconnected, deleted, absent'],
  ['(?:comes?|came|coming) back', 'reconnects, returns'],
  ['come again', 'reconnect, retry'],
  ['the house|houses', 'the folders'],
  ['as (?:many|much|large|long) as (?:it|they|there) may(?: be)?', 'the limit is reached'],
  ['as it may', '(rephrase)'],
  ['in (?:its|the|their) way', 'blocks'],
  ['spoken', 'assigned, used'],
  ['for good', 'permanently, forever'],
  ['at present', 'now, currently'],
  ['to blame', 'invalid'],
  ['judge(?:s|d)?', 'validates, checks'],
  ['(?:is|are|was|falls?|fell|fallen) behind', 'lags'],
  ['takes? (?:no|any|what|whatever|whole|back|away|along|apart)', 'accepts, removes, reverts'],
  ['takes \\$ ?\\{', 'must be'],
  ['moved on', 'advanced'],
  ['suffered', '(rephrase)'],
  ['let go', 'unloaded, released'],
  ['(?:all|everyone|everybody|everything|nobody|nothing|none|anything|who) but', 'except'],
  ['worth a retry', 'retryable'],
  ["one[’']s", 'the user’s, the caller’s'],
  [
    'is no (?:answer|array|event|float|frame|hook|integer|list|member|number|object|page|socket|string)',
    'is not a',
  ],
  ['in no (?:order|circle)', '(rephrase)'],
  ['as it was|as they were', 'unchanged'],
  ['where there is none', 'if there is none'],
]

/** Legitimate uses: file, and a text that the line contains. */
const allowed = [
  // Names on disk: the sidecar of a stored upload and a field in it.
  ['engine/files/file-folder.ts', 'kept'],
  ['engine/files/sidecar.ts', 'keptAt'],
  ['test/engine/files/file-store.test.ts', '.kept'],
  ['test/engine/files/file-store-failures.test.ts', '.kept'],
]

const generated = /^(?:package-lock\.json|docs\/protocol\.json|bench\/results\/|LICENSE)/
const checked = /\.(?:ts|mjs|js|md|yml|yaml|json|sql|txt|html)$/
const self = 'scripts/check-english.mjs'

const pattern = new RegExp(
  words.map(([word]) => `\\b(?:${word.replaceAll(' ', '\\s+')})\\b`.replace('\\{)\\b', '\\{)')).join('|'),
  'gi',
)

/** The lines without comment marks, identifiers split into words. The number of lines stays. */
function textOf(source) {
  return source
    .replace(/^[ \t]*(?:\*|\/\/|\/\*\*|#|--)[ \t]/gm, '')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/(\w)_(?=\w)/g, '$1 ')
}

function adviceFor(found) {
  const row = words.find(([word]) => new RegExp(`^(?:${word.replaceAll(' ', '\\s+')})$`, 'i').test(found))
  return row?.[1] ?? ''
}

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
}).split('\n')
let hits = 0
for (const file of files) {
  if (!checked.test(file) || generated.test(file) || file === self) continue
  let source
  try {
    source = readFileSync(`${root}/${file}`, 'utf8')
  } catch {
    continue // Deleted, and not committed yet.
  }
  const lines = source.split('\n')
  const text = textOf(source)
  for (const { 0: found, index } of text.matchAll(pattern)) {
    const at = text.slice(0, index).split('\n').length
    const line = lines[at - 1]
    if (allowed.some(([name, part]) => name === file && line.includes(part))) continue
    hits += 1
    process.stdout.write(`${file}:${at}: “${found.replace(/\s+/g, ' ')}”: ${adviceFor(found)}\n`)
  }
}
if (hits > 0) {
  process.stdout.write(`${hits} uses of words that the project does not use (list: ${self})\n`)
  process.exit(1)
}
