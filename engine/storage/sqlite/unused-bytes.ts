/**
 * Unused bytes: the parts of a database page that contain no data but are not zero.
 *
 * When SQLite moves rows between pages, copies of them may stay in the unused space of a page, where
 * `secure_delete` does not find them when the rows are deleted later. Unused space is described in
 * https://sqlite.org/fileformat2.html#b_tree_pages: between the cell pointers and the cells, and in free
 * blocks after their first four bytes.
 */

/** Offsets in the page, `to` exclusive. */
export type Part = readonly [from: number, to: number]

/** In a file with more pages, pages of long values could look like pages of rows. */
export const MAX_PAGES = 2 ** 25

const FILE_HEADER_BYTES = 100
/** Offset of the cell pointers by page type: inner pages of indexes and tables, then leaves. */
const POINTERS_OFFSET: { readonly [type: number]: number } = { 2: 12, 5: 12, 10: 8, 13: 8 }
const zeros = Buffer.alloc(65_536)
const none: readonly Part[] = []

/** The unused parts of a page that are not zero; none if it contains no rows or is damaged. */
export function unusedBytes(page: Buffer, pageNumber: number): readonly Part[] {
  const head = pageNumber === 1 ? FILE_HEADER_BYTES : 0
  const pointers = head + (POINTERS_OFFSET[page[head] as number] ?? 0)
  if (pointers === head) return none
  const from = pointers + 2 * page.readUInt16BE(head + 3)
  const content = page.readUInt16BE(head + 5) || 65_536
  if (from > content || content > page.length) return none
  const parts: Part[] = []
  if (page.compare(zeros, 0, content - from, from, content) !== 0) parts.push([from, content])
  let block = page.readUInt16BE(head + 1)
  while (block >= content && block + 4 <= page.length) {
    const end = block + page.readUInt16BE(block + 2)
    if (end < block + 4 || end > page.length) return none
    if (page.compare(zeros, 0, end - block - 4, block + 4, end) !== 0) parts.push([block + 4, end])
    const next = page.readUInt16BE(block)
    if (next < end) break
    block = next
  }
  return parts
}

/** Zeros of this length, at most 64 KiB. */
export function zerosOf(length: number): Buffer {
  return zeros.subarray(0, length)
}
