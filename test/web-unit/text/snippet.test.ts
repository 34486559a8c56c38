/**
 * Search snippets: the HTML of the server becomes texts.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { find } from '../../../engine/search/snippet.ts'
import { tokenize } from '../../../engine/text/tokens.ts'
import { snippetParts } from '../../../web/text/snippet.ts'

test('splits marks and resolves escapes once', () => {
  expect(snippetParts('…a <mark>b</mark>&lt;mark&gt; &amp;lt; &#39;c&quot;')).toEqual([
    { text: '…a ', isMatch: false },
    { text: 'b', isMatch: true },
    { text: `<mark> &lt; 'c"`, isMatch: false },
  ])
})

test('shows no part of the markup of any message', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (before, after) => {
      const text = `${before} <mark>needle</mark> & ${after}`.replace(/\s+/g, ' ').trim()
      const found = find(text, [{ tokens: tokenize('needle').map((token) => token.text), prefix: false }])
      const shown = snippetParts(found?.snippet ?? '').map((part) => part.text)
      expect(shown.join('')).toContain('<mark>needle</mark>')
    }),
  )
})
