/**
 * Completion: the word before the caret that can be completed: `@name` of a member, or `:name:` of an
 * emoji, and the text after a choice.
 */

export interface Completion {
  readonly kind: 'mention' | 'emoji'
  /** What was typed after `@` or `:`. */
  readonly query: string
  /** Where the `@` or `:` is. */
  readonly from: number
}

/** Characters of a name that are searched back from the caret. */
const MAX_QUERY = 40
const mention = /(?:^|[\s([{"'])@([^\s@](?:[^@\n]*\S)?|)$/u
const emoji = /(?:^|[^\p{L}\p{N}:/])(:([\p{L}\p{N}_+-]{2,}))$/u

/** What can be completed at the caret; null for nothing. */
export function completionAt(text: string, caret: number): Completion | null {
  const before = text.slice(Math.max(0, caret - MAX_QUERY), caret)
  const word = emoji.exec(before)?.[2]
  if (word !== undefined) return { kind: 'emoji', query: word, from: caret - word.length - 1 }
  const name = mention.exec(before)?.[1]
  return name === undefined ? null : { kind: 'mention', query: name, from: caret - name.length - 1 }
}

/** The text with the completed word, and where the caret is then. */
export function complete(
  text: string,
  caret: number,
  { kind, from }: Completion,
  chosen: string,
): { readonly text: string; readonly caret: number } {
  const inserted = `${kind === 'mention' ? `@${chosen}` : chosen} `
  // A space that is already there is not doubled.
  const rest = text.slice(caret).replace(/^ /, '')
  return { text: text.slice(0, from) + inserted + rest, caret: from + inserted.length }
}

/** The members whose name matches, those that begin with the query first. */
export function matchingMembers<M extends { readonly name: string; readonly userId: string }>(
  members: readonly M[],
  query: string,
  max = 8,
): readonly M[] {
  const wanted = folded(query)
  const ranked = members.flatMap((member) => {
    const name = folded(member.name)
    const rank = name.startsWith(wanted)
      ? 0
      : name.includes(` ${wanted}`)
        ? 1
        : folded(member.userId).startsWith(wanted)
          ? 2
          : -1
    return rank < 0 ? [] : [{ member, rank, name }]
  })
  ranked.sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1))
  return ranked.slice(0, max).map(({ member }) => member)
}

/** For comparison: without case and accents. */
export function folded(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}
