/**
 * A virtual list that never moves what is read.
 *
 * Only rows near the viewport are in the document; spacers stand for the others. The list holds an
 * anchor: the first visible row and where its bottom is in the viewport, or the end of the list. After
 * each change, and after each resize of a row, before the browser paints, the scroll position is set so
 * that the anchor is where it was. Everything below the anchor then stays, whatever was added, removed
 * or resized above. Scrolling chooses a new anchor. The scroll anchoring of browsers is off: it is not
 * everywhere, and does not know the spacers.
 */
import { Component, createRef, type RefObject, type VNode } from 'preact'
import { type Range, RowLayout } from './row-layout.ts'

/** Pixels above and below the viewport in which rows are in the document. */
const MARGIN = 500
/** Nearer to the end than this, the list follows new rows. */
const END_PX = 4

interface Keyed {
  readonly key: string
}

/** What of the list is visible. */
export interface Visible extends Range {
  /** Keys of the rows that are visible to their bottom. */
  readonly read: readonly string[]
  readonly isAtEnd: boolean
  /** Pixels between the viewport and the ends of the list. */
  readonly above: number
  readonly below: number
  /** The jump that the list has followed. */
  readonly target: { readonly key: string } | null
}

/** The first visible row, and the pixels from the top of the viewport to the bottom of the row. */
export interface ListPlace {
  readonly key: string
  readonly bottom: number
}

export interface AnchoredListProps<R extends Keyed> {
  readonly rows: readonly R[]
  readonly renderRow: (row: R, index: number) => VNode
  /** A row that stays in the document, because it has or may get the focus. */
  readonly keepKey: string | null
  /** Whether the last row is the newest: the list may follow it. */
  readonly hasEnd: boolean
  /** Where the list starts, as soon as it has the row; null for its end. */
  readonly start: ListPlace | null
  /** Before the list is removed: where it is; null for its end. */
  readonly onLeave: (place: ListPlace | null) => void
  /** The row to show; each new object moves the list. */
  readonly target: { readonly key: string } | null
  /** After each change of what is visible. */
  readonly onVisible: (visible: Visible) => void
  readonly label: string
  /** The list, for its methods: Preact 11 gives the property `ref` of components to them. */
  readonly control: RefObject<AnchoredList<R> | null>
}

type Anchor = (ListPlace & { readonly align?: 'center' }) | 'end'

export class AnchoredList<R extends Keyed> extends Component<AnchoredListProps<R>> {
  readonly #scroller = createRef<HTMLDivElement>()
  readonly #layout = new RowLayout()
  readonly #elements = new Map<string, HTMLElement>()
  readonly #refs = new Map<string, (element: HTMLElement | null) => void>()
  #rows: readonly R[] = []
  #target: { readonly key: string } | null = null
  #start: ListPlace | null
  #anchor: Anchor = 'end'
  #range: Range = { from: 0, to: 0 }
  /** The scroll position after the last correction: another value means that the reader scrolled. */
  #scrollTop = -1
  #observer: ResizeObserver | null = null

  constructor(props: AnchoredListProps<R>) {
    super(props)
    // A jump of an earlier visit.
    this.#target = props.target
    this.#start = props.start
  }

  override componentDidMount(): void {
    this.props.control.current = this
    const scroller = this.#scroller.current as HTMLDivElement
    this.#observer = new ResizeObserver(() => this.#settle())
    this.#observer.observe(scroller)
    for (const element of this.#elements.values()) this.#observer.observe(element)
    this.#settle()
  }

  override componentDidUpdate(): void {
    this.#settle()
  }

  override componentWillUnmount(): void {
    this.#pickAnchor()
    const anchor = this.#anchor
    this.props.onLeave(anchor === 'end' ? null : { key: anchor.key, bottom: anchor.bottom })
    this.props.control.current = null
    this.#observer?.disconnect()
  }

  /** Moves the list as little as possible so that a row is visible, and returns its element. */
  reveal(key: string): HTMLElement | null {
    const scroller = this.#scroller.current
    const index = this.#layout.indexOf(key)
    if (!scroller || index < 0) return null
    const height = this.#layout.height(index)
    const top = this.#layout.top(index) - scroller.scrollTop
    const view = scroller.clientHeight
    if (top < 8) this.#anchor = { key, bottom: 8 + height }
    else if (top + height > view - 8) this.#anchor = { key, bottom: Math.max(view - 8, height) }
    this.#renderNow()
    return this.#elements.get(key) ?? null
  }

  scrollToEnd(): void {
    this.#anchor = 'end'
    this.#renderNow()
  }

  scrollByPages(pages: number): void {
    const scroller = this.#scroller.current
    if (scroller) scroller.scrollTop += pages * scroller.clientHeight * 0.9
  }

  override render(): VNode {
    const { rows, target, renderRow, keepKey, label } = this.props
    this.#followReader()
    if (rows !== this.#rows) this.#setRows(rows)
    if (this.#start && this.#layout.indexOf(this.#start.key) >= 0) {
      this.#anchor = this.#start
      this.#start = null
      // The jump that loaded the row.
      this.#target = target
    }
    if (target && target !== this.#target && this.#layout.indexOf(target.key) >= 0) {
      this.#target = target
      this.#start = null
      this.#anchor = { key: target.key, bottom: 0, align: 'center' }
    }
    this.#range = this.#rangeAtAnchor()
    const shown: VNode[] = []
    let next = 0
    for (const index of this.#shownIndexes(keepKey)) {
      const gap = this.#layout.top(index) - this.#layout.top(next)
      if (gap > 0)
        shown.push(
          <div key={`gap ${next}`} class="list-gap" aria-hidden="true" style={{ height: `${gap}px` }} />,
        )
      const row = rows[index] as R
      shown.push(
        <div key={row.key} class="list-row" ref={this.#refOf(row.key)}>
          {renderRow(row, index)}
        </div>,
      )
      next = index + 1
    }
    const rest = this.#layout.top(rows.length) - this.#layout.top(next)
    if (rest > 0)
      shown.push(<div key="rest" class="list-gap" aria-hidden="true" style={{ height: `${rest}px` }} />)
    return (
      <div class="list-scroller" ref={this.#scroller} onScroll={this.#onScroll}>
        {/* biome-ignore lint/a11y/useSemanticElements: the rows are between spacers, which a list element does not allow. */}
        <div class="list-rows" role="list" aria-label={label}>
          {shown}
        </div>
      </div>
    )
  }

  #setRows(rows: readonly R[]): void {
    const former = this.#rows
    this.#rows = rows
    if (this.#anchor === 'end' && !this.props.hasEnd && former.length > 0) this.#pickAnchor()
    const anchor = this.#anchor
    this.#layout.setKeys(rows.map((row) => row.key))
    if (anchor === 'end' || this.#layout.indexOf(anchor.key) >= 0) return
    // The anchor was removed: the next row below it that is still there, or above it, takes its place.
    const at = former.findIndex((row) => row.key === anchor.key)
    const survives = (row: R) => this.#layout.indexOf(row.key) >= 0
    const other = former.slice(at + 1).find(survives) ?? former.slice(0, Math.max(0, at)).findLast(survives)
    const element = other && this.#elements.get(other.key)
    this.#anchor = element ? { key: (other as R).key, bottom: this.#bottomOf(element) } : 'end'
  }

  #shownIndexes(keepKey: string | null): readonly number[] {
    const { from, to } = this.#range
    const kept = keepKey === null ? -1 : this.#layout.indexOf(keepKey)
    const indexes: number[] = []
    if (kept >= 0 && kept < from) indexes.push(kept)
    for (let i = from; i < to; i++) indexes.push(i)
    if (kept >= to) indexes.push(kept)
    return indexes
  }

  #rangeAtAnchor(): Range {
    const view = this.#scroller.current?.clientHeight ?? 800
    const total = this.#layout.top(this.#rows.length)
    const top = Math.max(0, Math.min(total - view, this.#topAtAnchor(view, total)))
    return this.#layout.range(top - MARGIN, top + view + MARGIN)
  }

  #topAtAnchor(view: number, total: number): number {
    if (this.#anchor === 'end') return total - view
    const index = this.#layout.indexOf(this.#anchor.key)
    return this.#layout.top(index + 1) - this.#bottomWanted(this.#anchor, this.#layout.height(index), view)
  }

  #bottomWanted(anchor: Exclude<Anchor, 'end'>, height: number, view: number): number {
    if (anchor.align !== 'center') return anchor.bottom
    return height > view - 32 ? height + 16 : Math.round((view + height) / 2)
  }

  /** Measures what is in the document and puts the anchor where it belongs. */
  readonly #settle = (): void => {
    const scroller = this.#scroller.current
    if (!scroller || scroller.clientHeight === 0) return
    for (const [key, element] of this.#elements) {
      this.#layout.measure(key, element.getBoundingClientRect().height)
    }
    this.#correct(scroller)
    const { from, to } = this.#layout.range(
      scroller.scrollTop,
      scroller.scrollTop + scroller.clientHeight - 1,
    )
    // The spacers stand for other rows than those that were measured: they are right without a render.
    if (from < this.#range.from || to > this.#range.to) this.#renderNow()
    else this.#report(scroller)
  }

  #correct(scroller: HTMLElement): void {
    if (this.#anchor === 'end') {
      scroller.scrollTop = scroller.scrollHeight
    } else {
      const element = this.#elements.get(this.#anchor.key)
      if (element) {
        const wanted = this.#bottomWanted(
          this.#anchor,
          element.getBoundingClientRect().height,
          scroller.clientHeight,
        )
        const difference = this.#bottomOf(element) - wanted
        if (Math.abs(difference) >= 0.5) scroller.scrollTop += difference
      }
    }
    this.#scrollTop = scroller.scrollTop
  }

  readonly #onScroll = (): void => {
    const scroller = this.#scroller.current
    if (!scroller || scroller.scrollTop === this.#scrollTop) return
    this.#followReader()
    const { from, to } = this.#layout.range(
      scroller.scrollTop - MARGIN / 2,
      scroller.scrollTop + scroller.clientHeight + MARGIN / 2,
    )
    if (from < this.#range.from || to > this.#range.to) this.#renderNow()
    else this.#report(scroller)
  }

  /** Chooses a new anchor if the reader scrolled since the last correction. */
  #followReader(): void {
    const scroller = this.#scroller.current
    if (!scroller || this.#scrollTop < 0 || scroller.scrollTop === this.#scrollTop) return
    this.#start = null
    this.#pickAnchor()
    this.#scrollTop = scroller.scrollTop
  }

  #pickAnchor(): void {
    const scroller = this.#scroller.current
    if (!scroller) return
    const below = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight
    if (this.props.hasEnd && below <= END_PX) {
      this.#anchor = 'end'
      return
    }
    let best: { readonly key: string; readonly bottom: number } | null = null
    const { top } = scroller.getBoundingClientRect()
    for (const [key, element] of this.#elements) {
      const bottom = element.getBoundingClientRect().bottom - top
      if (bottom > 0 && (!best || bottom < best.bottom)) best = { key, bottom }
    }
    if (best && best.bottom < scroller.clientHeight + MARGIN) this.#anchor = best
    else {
      const { from } = this.#layout.range(scroller.scrollTop, scroller.scrollTop)
      const row = this.#rows[from]
      if (row) this.#anchor = { key: row.key, bottom: this.#layout.top(from + 1) - scroller.scrollTop }
    }
  }

  #bottomOf(element: HTMLElement): number {
    return (
      element.getBoundingClientRect().bottom -
      (this.#scroller.current as HTMLElement).getBoundingClientRect().top
    )
  }

  #report(scroller: HTMLElement): void {
    const top = scroller.scrollTop
    const end = top + scroller.clientHeight
    const { from, to } = this.#layout.range(top, end - 1)
    const read: string[] = []
    for (let i = from; i < to; i++)
      if (this.#layout.top(i + 1) <= end + 8) read.push((this.#rows[i] as R).key)
    const below = scroller.scrollHeight - end
    const { hasEnd, target, onVisible } = this.props
    onVisible({ from, to, read, isAtEnd: hasEnd && below <= END_PX, above: top, below, target })
  }

  #renderNow(): void {
    this.forceUpdate()
  }

  #refOf(key: string): (element: HTMLElement | null) => void {
    let ref = this.#refs.get(key)
    if (!ref) {
      ref = (element) => {
        const former = this.#elements.get(key)
        if (former) this.#observer?.unobserve(former)
        if (element) {
          this.#elements.set(key, element)
          this.#observer?.observe(element)
        } else {
          this.#elements.delete(key)
          this.#refs.delete(key)
        }
      }
      this.#refs.set(key, ref)
    }
    return ref
  }
}
