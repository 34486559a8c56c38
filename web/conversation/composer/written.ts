/**
 * Written: what follows from the text in the composer: its size, and who it mentions.
 */
import type { MembersView } from '../../../client/store/types.ts'
import { blocksOf, linesOf } from '../../text/blocks.ts'
import type { Inline } from '../../text/inline.ts'

/** Mentions of one message (protocol/limits.ts). */
const MAX_MENTIONS = 50
const encoder = new TextEncoder()

/** The size of a text, bytes of UTF-8. */
export function bytesOf(text: string): number {
  return encoder.encode(text).length
}

/** The members that a text mentions by `@` and their full name or id (MEN-1). */
export function mentionsIn(text: string, members: MembersView['members']): readonly string[] {
  if (!text.includes('@')) return []
  const written = members.map(({ userId, name }) => ({ userId, forms: [name, userId] }))
  const found = new Set<string>()
  for (const block of blocksOf(text, written)) {
    for (const line of linesOf(block)) collect(line.inside, found)
  }
  return [...found].slice(0, MAX_MENTIONS)
}

function collect(nodes: readonly Inline[], found: Set<string>): void {
  for (const node of nodes) {
    if (node.kind === 'mention') found.add(node.userId)
    else if ('inside' in node) collect(node.inside, found)
  }
}
