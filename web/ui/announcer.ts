/**
 * Announcer: has a screen reader say a text, once, whatever has the focus.
 *
 * By `ariaNotify` where the browser has it. Otherwise each text is an element of its own that is added to
 * one live region, so that texts in quick succession are all read, and is removed when it is old.
 */

export type Urgency = 'polite' | 'assertive'

interface Notifier {
  ariaNotify?: (text: string, options?: { readonly priority: 'normal' | 'high' }) => void
}

const REMOVE_AFTER_MS = 15_000

export class Announcer {
  /** The regions; they are part of the page before the first text. */
  readonly element = document.createElement('div')
  readonly #regions: Readonly<Record<Urgency, HTMLElement>>

  constructor() {
    this.element.className = 'visually-hidden'
    this.#regions = { polite: region('polite'), assertive: region('assertive') }
    this.element.append(this.#regions.polite, this.#regions.assertive)
  }

  /** After what is being rendered: it may close the dialog that the regions are in, which moves them. */
  say(text: string, urgency: Urgency = 'polite'): void {
    setTimeout(() => this.#say(text, urgency))
  }

  #say(text: string, urgency: Urgency): void {
    const notifier = this.element as Notifier
    if (notifier.ariaNotify) {
      notifier.ariaNotify(text, { priority: urgency === 'assertive' ? 'high' : 'normal' })
      return
    }
    const line = document.createElement('p')
    line.textContent = text
    this.#regions[urgency].append(line)
    setTimeout(() => line.remove(), REMOVE_AFTER_MS)
  }
}

function region(live: Urgency): HTMLElement {
  const element = document.createElement('div')
  element.setAttribute('aria-live', live)
  element.setAttribute('aria-relevant', 'additions')
  return element
}
