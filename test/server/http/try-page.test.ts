/**
 * The script of the try-it page, run with a fake of the browser APIs that it uses.
 */
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { tryPageRoute } from '../../../server/http/try-page.ts'
import { tryPageScript } from '../../../server/http/try-page-script.ts'

class FakeSocket {
  static all: FakeSocket[] = []
  onmessage: ((event: { data: string }) => void) | undefined
  onclose: ((event: { code: number; reason: string }) => void) | undefined
  closed = false
  readonly protocols: readonly string[]

  constructor(_: string, protocols: readonly string[]) {
    this.protocols = protocols
    FakeSocket.all.push(this)
  }

  close(): void {
    this.closed = true
  }
}

/** Loads the page in one tab; `stored` survives a reload like `sessionStorage`. */
function load(hash: string, stored: Map<string, string>) {
  FakeSocket.all = []
  const elements = new Map<string, Record<string, unknown>>()
  const element = (id: string) => {
    const known = elements.get(id) ?? { elements: [], hidden: false, value: '', children: [], append() {} }
    elements.set(id, known)
    return known
  }
  runInNewContext(tryPageScript, {
    document: { getElementById: element, createElement: () => ({ append() {} }) },
    location: { hash, host: 'chat.example', protocol: 'https:', pathname: '/' },
    history: { replaceState() {} },
    sessionStorage: {
      getItem: (name: string) => stored.get(name) ?? null,
      setItem: (name: string, value: string) => stored.set(name, value),
      removeItem: (name: string) => stored.delete(name),
    },
    URLSearchParams,
    WebSocket: FakeSocket,
  })
  const submit = (token: string) => {
    element('token')['value'] = token
    ;(element('tokenForm')['onsubmit'] as (event: object) => void)({ preventDefault() {} })
  }
  return { element, submit }
}

describe('the try-it page', () => {
  it('hides the token form while it is connected, whatever its style', () => {
    const page = load('#token=one', new Map())
    expect(page.element('tokenForm')['hidden']).toBe(true)
    const { body } = tryPageRoute().handle({} as never) as { body: string }
    expect(body).toContain('form:not([hidden]) { display: flex;')
  })

  it('has one socket, also after a second token', () => {
    const page = load('#token=one', new Map())
    page.submit('two')
    const [first, second] = FakeSocket.all
    expect([first?.closed, second?.closed, FakeSocket.all.length]).toEqual([true, false, 2])
    first?.onclose?.({ code: 1005, reason: '' })
    expect(page.element('tokenForm')['hidden']).toBe(true)
  })

  it('reconnects after a reload, until its token is refused', () => {
    const stored = new Map<string, string>()
    load('#token=one', stored)
    load('', stored)
    expect(FakeSocket.all[0]?.protocols).toContain('bearer.one')
    FakeSocket.all[0]?.onclose?.({ code: 4401, reason: '' })
    expect(load('', stored).element('tokenForm')['hidden']).toBe(false)
    expect(FakeSocket.all).toHaveLength(0)
  })
})
