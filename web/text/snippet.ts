/**
 * Snippets: the text of a search hit. The server sends it as HTML, escaped, with the matches in
 * `<mark>`. It is split into texts; no HTML is made of it.
 */

export interface SnippetPart {
  readonly text: string
  readonly isMatch: boolean
}

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  apos: "'",
}

/** The parts of a snippet, in order. */
export function snippetParts(snippet: string): readonly SnippetPart[] {
  const parts: SnippetPart[] = []
  let isMatch = false
  for (const piece of snippet.split(/(<\/?mark>)/)) {
    if (piece === '<mark>') isMatch = true
    else if (piece === '</mark>') isMatch = false
    else if (piece !== '') parts.push({ text: unescaped(piece), isMatch })
  }
  return parts
}

function unescaped(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|apos|#39);/g, (_, name: string) => entities[name] as string)
}
