/**
 * One row of the list, with its role and focus. Only the active row can have the focus: the list is one
 * Tab stop. A row renders again only if what it shows changed.
 */
import { Component, type VNode } from 'preact'
import { useShell } from '../../shell.ts'
import { Icon } from '../../ui/icon.tsx'
import { type ListContext, useList } from './list-context.ts'
import { MessageRow } from './message-row.tsx'
import type { Row } from './rows.ts'
import { messageLabel, noticeText } from './sentences.ts'

interface ListRowProps {
  readonly row: Row
  readonly index: number
  readonly isActive: boolean
  readonly isTarget: boolean
  readonly context: ListContext
}

/** Compares what is shown: rows are new objects after each change of the window. */
export class ListRow extends Component<ListRowProps> {
  override shouldComponentUpdate(next: ListRowProps): boolean {
    const { row, isActive, isTarget, context, index } = this.props
    return (
      next.isActive !== isActive ||
      next.isTarget !== isTarget ||
      next.context !== context ||
      next.index !== index ||
      !isSame(row, next.row)
    )
  }

  override render({ row, index, isActive, isTarget }: ListRowProps): VNode {
    if (row.kind !== 'message') return <OtherRow row={row} index={index} />
    return <FocusableRow row={row} index={index} isActive={isActive} isTarget={isTarget} />
  }
}

function isSame(a: Row, b: Row): boolean {
  if (a.kind !== b.kind) return false
  if (a.kind === 'message' && b.kind === 'message') {
    return a.item === b.item && a.isFirst === b.isFirst && a.isLast === b.isLast
  }
  if ('item' in a && 'item' in b) return a.item === b.item
  return a.key === b.key
}

interface FocusableProps {
  readonly row: Extract<Row, { kind: 'message' }>
  readonly index: number
  readonly isActive: boolean
  readonly isTarget: boolean
}

function FocusableRow({ row, index, isActive, isTarget }: FocusableProps) {
  const { texts, format } = useShell()
  const { isDirect } = useList()
  return (
    // biome-ignore lint/a11y/useSemanticElements: the rows are between spacers, which a list element does not allow.
    <div
      class={isTarget ? 'list-item list-item-target' : 'list-item'}
      role="listitem"
      tabIndex={isActive ? 0 : -1}
      data-key={row.key}
      data-seq={row.item.seq}
      data-state={row.item.state}
      aria-label={messageLabel(row.item, isDirect, texts, format)}
      aria-posinset={index + 1}
      aria-setsize={-1}
    >
      <MessageRow row={row} />
    </div>
  )
}

function OtherRow({
  row,
  index,
}: {
  readonly row: Exclude<Row, { kind: 'message' }>
  readonly index: number
}) {
  const { texts, format } = useShell()
  const { me } = useList()
  return (
    // biome-ignore lint/a11y/useSemanticElements: as above.
    <div
      class={`list-item list-item-${row.kind}`}
      role="listitem"
      data-key={row.key}
      aria-posinset={index + 1}
      aria-setsize={-1}
    >
      {content()}
    </div>
  )

  function content() {
    switch (row.kind) {
      case 'start':
        return <p class="mark">{texts.conversation.start}</p>
      case 'loading':
      case 'hole':
        return (
          <p class="mark mark-loading">
            <span class="spinner" aria-hidden="true" /> {texts.shell.loading}
          </p>
        )
      case 'day':
        return (
          <p class="mark mark-day">
            <span>{format.day(row.at)}</span>
          </p>
        )
      case 'unread':
        return (
          <p class="mark mark-unread">
            <span>{texts.conversation.unreadLine}</span>
          </p>
        )
      case 'notice':
        return (
          <p
            class={row.item.what === 'lost' ? 'mark mark-lost' : 'mark'}
            title={format.dateTime(row.item.at)}
          >
            {row.item.what === 'lost' && <Icon name="alert" size={15} />} {noticeText(row.item, me, texts)}
          </p>
        )
    }
  }
}
