/**
 * A document as small as Preact needs it: elements, texts, and their order.
 */
import { vi } from 'vitest'

class SmallNode {
  readonly localName: string
  readonly namespaceURI = 'http://www.w3.org/1999/xhtml'
  readonly childNodes: SmallNode[] = []
  readonly attributes: never[] = []
  readonly style = {}
  parentNode: SmallNode | null = null
  data: string

  constructor(localName: string, data = '') {
    this.localName = localName
    this.data = data
  }

  get firstChild(): SmallNode | null {
    return this.childNodes[0] ?? null
  }

  get nextSibling(): SmallNode | null {
    const siblings = this.parentNode?.childNodes ?? []
    return siblings[siblings.indexOf(this) + 1] ?? null
  }

  get textContent(): string {
    return this.data + this.childNodes.map((node) => node.textContent).join('')
  }

  insertBefore(node: SmallNode, before: SmallNode | null): SmallNode {
    node.remove()
    node.parentNode = this
    this.childNodes.splice(before ? this.childNodes.indexOf(before) : this.childNodes.length, 0, node)
    return node
  }

  remove(): void {
    const siblings = this.parentNode?.childNodes
    siblings?.splice(siblings.indexOf(this), 1)
    this.parentNode = null
  }

  removeChild(node: SmallNode): void {
    node.remove()
  }

  contains(node: SmallNode | null): boolean {
    return node !== null && (node === this || this.contains(node.parentNode))
  }
}

/** Sets the global `document` until the end of the test; `root` is an element in it. */
export function aDocument(): { readonly root: Element; readonly textOf: () => string } {
  const createElement = (name: string) => new SmallNode(name)
  vi.stubGlobal('document', {
    createElement,
    createElementNS: (_: string, name: string) => new SmallNode(name),
    createTextNode: (data: string) => new SmallNode('#text', data),
  })
  const root = createElement('main')
  return { root: root as unknown as Element, textOf: () => root.textContent }
}
