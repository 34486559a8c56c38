/**
 * Connections of a user: finds them by the user's id, and closes one or all.
 */
import { useId, useState } from 'preact/hooks'
import { Button } from '../ui/button.tsx'
import { useAdmin } from './admin-context.ts'
import { wireName } from './charts.tsx'
import type { ConnectionFigures } from './figures.ts'
import { Table } from './table.tsx'

interface Found {
  readonly userId: string
  readonly connections: readonly ConnectionFigures[]
}

export function Connections() {
  const { api, texts, format, units } = useAdmin()
  const [userId, setUserId] = useState('')
  const [found, setFound] = useState<Found | null>(null)
  const [status, setStatus] = useState('')
  const title = useId()

  const attempt = (work: Promise<void>) => void work.catch((error: Error) => setStatus(error.message))
  const show = async (id: string, text = '') => {
    const connections = await api.connections(id)
    setFound({ userId: id, connections })
    setStatus(text || (connections.length === 0 ? texts.noConnections(id) : ''))
  }
  const disconnect = async (id: string, connection: number | null) => {
    const ended = await api.disconnect(id, connection)
    await show(id, texts.disconnected(ended))
  }

  return (
    <section class="card" aria-labelledby={title}>
      <h2 id={title}>{texts.sessions}</h2>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault()
          attempt(show(userId.trim()))
        }}
      >
        <input
          class="field grow"
          aria-label={texts.userId}
          placeholder={texts.userId}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          required
          value={userId}
          onInput={(event) => setUserId(event.currentTarget.value)}
        />
        <Button type="submit" kind="primary">
          {texts.find}
        </Button>
        {found !== null && found.connections.length > 1 && (
          <Button kind="danger" onClick={() => attempt(disconnect(found.userId, null))}>
            {texts.disconnectAll}
          </Button>
        )}
      </form>
      <p role="status">{status}</p>
      {found !== null && found.connections.length > 0 && (
        <Table
          title={found.userId}
          head={[texts.address, texts.protocol, texts.opened, texts.lastReceived, texts.unsent, texts.action]}
          numbersFrom={2}
          rows={found.connections.map(({ id, address, protocol, openedAt, lastReceivedAt, unsentBytes }) => [
            address,
            wireName(protocol),
            format.ago(openedAt),
            format.ago(lastReceivedAt),
            units.bytes(unsentBytes),
            <Button key={id} kind="danger" onClick={() => attempt(disconnect(found.userId, id))}>
              {texts.disconnect}
            </Button>,
          ])}
        />
      )}
      <p class="soft small">{texts.disconnectNote}</p>
    </section>
  )
}
