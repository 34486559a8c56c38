import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { h, render } from 'preact'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import * as solid from 'solid-js'
import { derived } from 'svelte/store'
import { describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, watchEffect } from 'vue'
import { useView as usePreactView } from '../../../client/adapters/preact.ts'
import { ChatProvider, useChat, useGroup, useMessages, useView } from '../../../client/adapters/react.ts'
import { fromView } from '../../../client/adapters/solid.ts'
import { readable } from '../../../client/adapters/svelte.ts'
import { useView as useVueView } from '../../../client/adapters/vue.ts'
import type { Store } from '../../../client/store/types.ts'
import { eventually } from '../../support/conditions.ts'
import { AView } from './a-view.ts'
import { aDocument } from './small-document.ts'

// Node loads the build of Solid for servers, which has no reactivity.
vi.mock('solid-js', () => import(['solid-js', 'dist/solid.js'].join('/')))

const folder = fileURLToPath(new URL('../../../client/adapters', import.meta.url))

const group = { groupId: 'team', messages: new AView({ items: [{ content: 'hello' }] }) }
const store = {
  me: new AView({ name: 'Ana' }),
  group: (groupId: string) => ({ ...group, groupId }),
} as unknown as Store

function Page() {
  const { name } = useView(useChat().me)
  const { groupId } = useGroup('team')
  const { items } = useMessages('team')
  return createElement('p', null, `${name} in ${groupId}: ${JSON.stringify(items)}`)
}

function Text({ view }: { readonly view: AView<string> }) {
  return h('p', null, usePreactView(view))
}

describe.each(['preact', 'solid', 'svelte', 'vue'])('client/adapters/%s.ts', (name) => {
  it('has fewer than 40 lines', () => {
    expect(readdirSync(folder)).toContain(`${name}.ts`)
    expect(readFileSync(`${folder}/${name}.ts`, 'utf8').split('\n').length).toBeLessThanOrEqual(40)
  })
})

describe('tertulia/vue', () => {
  it('shows the value of a view, its changes, and nothing after the scope has ended', async () => {
    const view = new AView('a')
    const scope = effectScope()
    const shown: string[] = []
    scope.run(() => {
      const value = useVueView(view)
      watchEffect(() => shown.push(value.value))
    })
    view.set('b')
    await nextTick()
    scope.stop()
    expect([shown, view.listeners.size]).toEqual([['a', 'b'], 0])
  })
})

describe('tertulia/solid', () => {
  it('shows the value of a view, its changes, and nothing after the owner was disposed of', () => {
    const view = new AView('a')
    const shown: string[] = []
    const end = solid.createRoot((dispose) => {
      const value = fromView(view)
      solid.createComputed(() => shown.push(value()))
      return dispose
    })
    view.set('b')
    view.set('c')
    end()
    view.set('d')
    expect([shown, view.listeners.size]).toEqual([['a', 'b', 'c'], 0])
  })
})

describe('tertulia/svelte', () => {
  it('is a store: its value, its changes, and nothing after the last subscription', () => {
    const view = new AView(1)
    const shown: number[] = []
    const end = derived(readable(view), (value) => value * 10).subscribe((value) => shown.push(value))
    view.set(2)
    end()
    view.set(3)
    expect([shown, view.listeners.size]).toEqual([[10, 20], 0])
  })
})

describe('tertulia/preact', () => {
  it('renders the value of a view and its changes, and nothing after it was removed', async () => {
    const { root, textOf } = aDocument()
    const view = new AView('a')
    render(h(Text, { view }), root)
    expect(textOf()).toBe('a')
    view.set('b')
    await eventually(() => expect(textOf()).toBe('b'))
    render(null, root)
    expect(view.listeners.size).toBe(0)
  })
})

describe('tertulia/react', () => {
  it('renders the values of views on a server', () => {
    const html = renderToString(createElement(ChatProvider, { store }, createElement(Page)))
    expect(html.replaceAll('&quot;', '"')).toBe('<p>Ana in team: [{"content":"hello"}]</p>')
  })

  it('reports a component without a provider', () => {
    expect(() => renderToString(createElement(Page))).toThrow('below a ChatProvider')
  })
})
