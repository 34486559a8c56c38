/**
 * Table: rows of texts and numbers; the first cell of a row is its header.
 */
import type { ComponentChildren } from 'preact'

interface TableProps {
  readonly title: string
  readonly note?: string | undefined
  readonly head: readonly string[]
  /** Cells of columns from this one on are aligned as numbers; 1 by default. */
  readonly numbersFrom?: number
  readonly rows: readonly (readonly ComponentChildren[])[]
  /** It gets two columns of the page. */
  readonly isWide?: boolean
  /** The text for no rows. */
  readonly empty?: string
}

export function Table({ title, note, head, numbersFrom = 1, rows, isWide = false, empty }: TableProps) {
  const classOf = (column: number) => (column >= numbersFrom ? 'number' : undefined)
  return (
    <div class={isWide ? 'card wide' : 'card'}>
      <h2>{title}</h2>
      {note !== undefined && <p class="soft small">{note}</p>}
      {rows.length === 0 && empty !== undefined ? (
        <p class="soft">{empty}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by the keyboard.
        <section class="scroll" aria-label={title} tabIndex={0}>
          <table>
            <thead>
              <tr>
                {head.map((text, column) => (
                  <th key={text} scope="col" class={classOf(column)}>
                    {text}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((cells, at) => (
                <tr key={typeof cells[0] === 'string' ? cells[0] : at}>
                  {cells.map((cell, column) =>
                    column === 0 ? (
                      <th key={head[column]} scope="row">
                        {cell}
                      </th>
                    ) : (
                      <td key={head[column]} class={classOf(column)}>
                        {cell}
                      </td>
                    ),
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  )
}
