/**
 * Connection state: the connection as people see it, from the state of the client.
 */
import type { ClientState } from '../link.ts'
import { ComputedView } from './computed-view.ts'
import { share } from './sharing.ts'
import type { ConnectionView } from './types.ts'

export class ConnectionState {
  readonly view: ComputedView<ConnectionView>
  #client: ConnectionView = { state: 'idle' }
  /** Since when there is no connection. */
  #since: number | null = null

  constructor() {
    this.view = new ComputedView<ConnectionView>({ state: 'idle' }, (before) =>
      share(before, this.#compute()),
    )
  }

  get state(): ConnectionView {
    return this.#client
  }

  set(view: ConnectionView): void {
    this.#client = view
    if (view.state === 'catching_up' || view.state === 'live') this.#since = null
    this.view.changed()
  }

  /** The state of the leading tab's client. */
  onClient(state: ClientState): void {
    switch (state.state) {
      case 'idle':
      case 'connecting':
        this.set({ state: state.state })
        break
      case 'connected':
        this.set({ state: 'catching_up' })
        break
      case 'reconnecting':
        this.#since ??= Date.now()
        this.set(
          state.delayMs > 0
            ? { state: 'waiting', since: this.#since, retryAt: Date.now() + state.delayMs }
            : { state: 'connecting' },
        )
        break
      case 'closed': {
        const { reason } = state
        if (reason.cause !== 'server') this.set({ state: 'idle' })
        else this.set({ state: 'refused', closeCode: reason.code, reason: reason.message })
      }
    }
  }

  #compute(): ConnectionView {
    const { state } = this.#client
    // The browser knows earlier than the client.
    if ((state === 'connecting' || state === 'waiting') && globalThis.navigator?.onLine === false) {
      this.#since ??= Date.now()
      return { state: 'offline', since: this.#since }
    }
    return this.#client
  }
}
