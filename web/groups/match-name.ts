/** Whether each word of a query starts a word of the name, without regard to case and accents. */
export function matchesName(name: string, query: string): boolean {
  const words = folded(name).split(/[\s\-_.]+/u)
  return folded(query)
    .split(/\s+/u)
    .filter((part) => part !== '')
    .every((part) => words.some((word) => word.startsWith(part)))
}

function folded(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{Mn}/gu, '')
    .toLocaleLowerCase()
}
