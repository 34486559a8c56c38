import { describe, expect, it } from 'vitest'
import { contentHeaders } from '../../../server/http/content-headers.ts'
import { aFile } from '../../support/store.ts'

const dispositionOf = (fileName: string, mimeType = 'text/plain') =>
  contentHeaders(aFile({ fileName, mimeType }))['Content-Disposition']

// TXT-1: names in older data folders were stored unchanged.
describe('Content-Disposition', () => {
  it.each([
    ['a plain name', 'bread.txt', 'bread.txt'],
    ['the path of a Unix system', '../../etc/passwd', 'passwd'],
    ['the path of a Windows system', 'C:\\\\users\\ana\\bread.txt', 'bread.txt'],
    ['bidirectional overrides', 'photo\u202egpj.exe', 'photogpj.exe'],
    ['isolates', '\u2066photo\u2069.png', 'photo.png'],
    ['control characters and line breaks', 'a\r\nSet-Cookie: x\u0000.txt', 'aSet-Cookie: x.txt'],
    ['nothing that is left', '../\u202e', 'file'],
  ])('is without %s', (_, stored, shown) => {
    expect(dispositionOf(stored)).toBe(
      `inline; filename="${shown}"; filename*=UTF-8''${encodeURIComponent(shown)}`,
    )
  })

  it('escapes quotes and characters that are not ASCII', () => {
    expect(dispositionOf(`fé"ria'.txt`)).toBe(
      `inline; filename="f__ria'.txt"; filename*=UTF-8''f%C3%A9%22ria%27.txt`,
    )
  })

  it('downloads types that a browser would execute', () => {
    expect(dispositionOf('a.html', 'text/html')).toMatch(/^attachment;/)
    expect(dispositionOf('a.svg', 'image/svg+xml')).toMatch(/^attachment;/)
  })
})
