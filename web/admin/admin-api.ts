/**
 * Admin API: the requests of the dashboard. Paths are relative, for a proxy with a path prefix.
 */
import type { ConnectionFigures, Figures } from './figures.ts'

/** A request was refused. `status` is 0 if the server did not answer. */
export class AdminError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export interface LogLines {
  readonly next: number
  readonly lines: readonly string[]
}

const TIMEOUT_MS = 10_000

export class AdminApi {
  readonly #token: string

  constructor(token: string) {
    this.#token = token
  }

  live(): Promise<Figures> {
    return this.#request('GET', 'live')
  }

  log(from: number): Promise<LogLines> {
    return this.#request('GET', `log?from=${from}`)
  }

  async connections(userId: string): Promise<readonly ConnectionFigures[]> {
    const { connections } = await this.#request<{ connections: readonly ConnectionFigures[] }>(
      'GET',
      `users/${encodeURIComponent(userId)}/connections`,
    )
    return connections
  }

  /** Closes one connection, or all of the user. Returns their number. */
  async disconnect(userId: string, id: number | null): Promise<number> {
    const path = `users/${encodeURIComponent(userId)}/connections${id === null ? '' : `/${id}`}`
    return (await this.#request<{ ended: number }>('DELETE', path)).ended
  }

  async #request<T>(method: string, path: string): Promise<T> {
    let response: Response
    let body: unknown
    try {
      response = await fetch(`api/admin/${path}`, {
        method,
        headers: { authorization: `Bearer ${this.#token}` },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      body = await response.json()
    } catch (error) {
      throw new AdminError(0, (error as Error).message)
    }
    if (response.ok) return body as T
    const { error } = body as { error?: { message?: string } }
    throw new AdminError(response.status, error?.message ?? String(response.status))
  }
}
