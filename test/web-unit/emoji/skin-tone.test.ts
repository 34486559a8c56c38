import { createRequire } from 'node:module'
import { expect, it } from 'vitest'
import { type skinTones, withSkinTone } from '../../../web/emoji/skin-tone.ts'

interface Known {
  readonly unicode: string
  readonly skins?: readonly { readonly unicode: string }[]
}

const all = createRequire(import.meta.url)('emojibase-data/en/compact.json') as readonly Known[]

it('makes the forms that Unicode has with one tone, of all emoji, and no others', () => {
  const changed = all.filter(({ unicode }) => withSkinTone(unicode, 'medium') !== unicode)
  expect(changed.length).toBeGreaterThan(300)
  for (const { unicode, skins = [] } of changed) {
    expect(skins.map((one) => one.unicode)).toContain(withSkinTone(unicode, 'medium'))
  }
  // What stays as it is has no forms, or those of two people.
  const others = all.filter(({ unicode, skins }) => skins && withSkinTone(unicode, 'medium') === unicode)
  expect(others.every(({ unicode }) => (unicode.match(/👩|👨|🧑/gu) ?? []).length === 2)).toBe(true)
})

it('leaves emoji as they are without a tone, and for a stored one that is not known', () => {
  expect(withSkinTone('👍', 'none')).toBe('👍')
  expect(withSkinTone('👍', 'blue' as keyof typeof skinTones)).toBe('👍')
  expect(withSkinTone('✌️', 'dark')).toBe('✌🏿')
  expect(withSkinTone('👪️', 'dark')).toBe('👪️')
})
