/**
 * Message text as nodes of the document. No HTML is made of messages: each token becomes an element or a
 * text node.
 */
import { Fragment, type VNode } from 'preact'
import { IconButton } from '../ui/button.tsx'
import { type Block, blocksOf, type Item, type Line, type List, shownLines } from './blocks.ts'
import { isEmojiOnly } from './emoji-only.ts'
import type { Inline, Mentionable } from './inline.ts'

export interface MessageTextProps {
  readonly text: string
  readonly mentions: readonly Mentionable[]
  /** Mentions of this user are emphasised. */
  readonly me: string
  readonly onMention?: ((userId: string) => void) | undefined
  /** Blocks of code have a button that copies them. */
  readonly onCopy: (text: string) => void
  readonly copyLabel: string
}

export function MessageText({ text, mentions, ...context }: MessageTextProps): VNode {
  if (isEmojiOnly(text)) return <p class="text text-emoji">{text}</p>
  const blocks = blocksOf(text, mentions).map((block, i, { length }) =>
    block.kind === 'lines' ? { ...block, lines: shownLines(block.lines, i > 0, i < length - 1) } : block,
  )
  return <div class="text">{blocks.map((block, i) => blockNode(block, i, context))}</div>
}

type Context = Omit<MessageTextProps, 'text' | 'mentions'>

function blockNode(block: Block, key: number, context: Context): VNode | null {
  switch (block.kind) {
    case 'code': {
      const code = block.text.replace(/\n$/, '')
      return (
        <div key={key} class="code">
          <pre tabIndex={-1}>
            <code>{code}</code>
          </pre>
          <IconButton
            icon="copy"
            label={context.copyLabel}
            tabIndex={-1}
            onClick={() => context.onCopy(code)}
          />
        </div>
      )
    }
    case 'quote':
      return <blockquote key={key}>{lineNodes(block.lines, context)}</blockquote>
    case 'bullets':
    case 'numbers':
      return listNode(block, key, context)
    case 'lines':
      return block.lines.length > 0 ? <p key={key}>{lineNodes(block.lines, context)}</p> : null
  }
}

function listNode(list: List, key: number, context: Context): VNode {
  const items = list.lines.map((item, i) => itemNode(item, i, context))
  if (list.kind === 'bullets') return <ul key={key}>{items}</ul>
  return (
    <ol key={key} start={list.start}>
      {items}
    </ol>
  )
}

function itemNode({ inside, lists }: Item, key: number, context: Context): VNode {
  return (
    <li key={key}>
      {inlineNodes(inside, context)}
      {lists.map((list, i) => listNode(list, i, context))}
    </li>
  )
}

function lineNodes(lines: readonly Line[], context: Context): readonly VNode[] {
  return lines.map((line, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other identity, and are not reordered.
    <Fragment key={i}>
      {i > 0 && <br />}
      {inlineNodes(line.inside, context)}
    </Fragment>
  ))
}

function inlineNodes(nodes: readonly Inline[], context: Context): readonly (VNode | string)[] {
  return nodes.map((node, i) => inlineNode(node, i, context))
}

function inlineNode(node: Inline, key: number, context: Context): VNode | string {
  switch (node.kind) {
    case 'text':
      return node.text
    case 'escape':
      return node.text.slice(1)
    case 'code':
      return <code key={key}>{node.text}</code>
    case 'strong':
      return <strong key={key}>{inlineNodes(node.inside, context)}</strong>
    case 'em':
      return <em key={key}>{inlineNodes(node.inside, context)}</em>
    case 'strike':
      return <s key={key}>{inlineNodes(node.inside, context)}</s>
    case 'url':
      return link(node.href, node.text, key)
    case 'link':
      return link(node.href, inlineNodes(node.inside, context), key)
    case 'mention': {
      const { userId, text } = node
      const { me, onMention } = context
      const name = userId === me ? 'mention mention-me' : 'mention'
      if (!onMention)
        return (
          <span key={key} class={name}>
            {text}
          </span>
        )
      return (
        <button key={key} type="button" class={name} tabIndex={-1} onClick={() => onMention(userId)}>
          {text}
        </button>
      )
    }
  }
}

function link(href: string, inside: string | readonly (VNode | string)[], key: number): VNode {
  return (
    <a key={key} href={href} target="_blank" rel="noopener noreferrer" title={href} tabIndex={-1}>
      {inside}
    </a>
  )
}
