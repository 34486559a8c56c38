/**
 * Rows: what the list of messages shows, one row for each item and for the marks between them.
 *
 * Messages of one sender that follow each other within minutes form a group: only the first shows the
 * sender. A row has the key of its item, so that the list can be compared with its former state.
 */
import type { HoleItem, MessageItem, NoticeItem, WindowView } from '../../../client/store/types.ts'

export type Row =
  | { readonly kind: 'start'; readonly key: string }
  | { readonly kind: 'loading'; readonly key: string }
  | { readonly kind: 'day'; readonly key: string; readonly at: number }
  | { readonly kind: 'unread'; readonly key: string }
  | {
      readonly kind: 'message'
      readonly key: string
      readonly item: MessageItem
      readonly isFirst: boolean
      readonly isLast: boolean
    }
  | { readonly kind: 'notice'; readonly key: string; readonly item: NoticeItem }
  | { readonly kind: 'hole'; readonly key: string; readonly item: HoleItem }

export type MessageRow = Extract<Row, { kind: 'message' }>

/** Messages of one sender with at most this time between them are shown as a group. */
export const GROUP_MS = 5 * 60_000

/** The rows of a window. Days are those of the reader's time zone. */
export function rowsOf(view: WindowView): readonly Row[] {
  const isStart = view.isLoaded && !view.hasOlder
  const rows: Row[] = [isStart ? { kind: 'start', key: 'start' } : { kind: 'loading', key: 'older' }]
  let day = ''
  let isUnreadShown = view.firstUnreadSeq === null
  /** The message row before, if the next message can belong to its group. */
  let previous: MessageItem | null = null

  for (const item of view.items) {
    if (item.kind === 'hole') {
      rows.push({ kind: 'hole', key: item.key, item })
      previous = null
      continue
    }
    const at = item.kind === 'message' ? item.createdAt : item.at
    const itsDay = dayOf(at)
    // A crash of the server has no known time.
    if (itsDay !== day && at > 0) {
      day = itsDay
      previous = null
      // The clock of a pending message may run ahead of that of others: a day may then occur twice.
      rows.push({ kind: 'day', key: `day ${itsDay} ${item.key}`, at })
    }
    if (!isUnreadShown && item.seq !== undefined && item.seq >= (view.firstUnreadSeq as number)) {
      isUnreadShown = true
      previous = null
      rows.push({ kind: 'unread', key: 'unread' })
    }
    if (item.kind === 'notice') {
      rows.push({ kind: 'notice', key: item.key, item })
      previous = null
      continue
    }
    const isFirst = !(previous && isSameGroup(previous, item))
    if (!isFirst) {
      const last = rows[rows.length - 1] as MessageRow
      rows[rows.length - 1] = { ...last, isLast: false }
    }
    rows.push({ kind: 'message', key: item.key, item, isFirst, isLast: true })
    previous = item
  }
  if (view.hasNewer) rows.push({ kind: 'loading', key: 'newer' })
  return rows
}

function isSameGroup(a: MessageItem, b: MessageItem): boolean {
  return a.sender.userId === b.sender.userId && Math.abs(b.createdAt - a.createdAt) <= GROUP_MS
}

/** The calendar day of a time, for comparison. */
function dayOf(at: number): string {
  const date = new Date(at)
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`
}
