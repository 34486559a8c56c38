/**
 * Doc comments: reads what the rows of a table say of themselves out of its source, so that the
 * reference repeats it and the table stays clean of texts that no program needs.
 */

/** Doc comments by name: `join_group` for a row or a record, `Limits.rateLimit` for a record's field. */
export type DocComments = ReadonlyMap<string, string>

/** Reads the doc comments of top-level constants and of the rows right inside them. */
export function docComments(source: string): DocComments {
  const found = new Map<string, string>()
  let open: string[] | null = null
  let comment = ''
  let record = ''
  for (const line of source.split('\n')) {
    const text = line.trim()
    if (text.startsWith('/**')) open = []
    if (open) {
      open.push(text.replace(/^\/?\*+\/? ?/, '').replace(/ ?\*\/$/, ''))
      if (text.endsWith('*/')) {
        comment = open.join(' ').trim()
        open = null
      }
      continue
    }
    const [, constant] = /^export const (\w+) = /.exec(line) ?? []
    const [, row] = /^ {2}(\w+)(?::|,$)/.exec(line) ?? []
    if (constant) record = /^[A-Z]/.test(constant) ? constant : ''
    if (comment && constant) found.set(constant, comment)
    if (comment && row) found.set(record ? `${record}.${row}` : row, comment)
    comment = ''
  }
  return found
}
