/**
 * Tiles: the most important numbers of now.
 */
import { useAdmin } from './admin-context.ts'
import type { Figures } from './figures.ts'
import type { Row } from './series.ts'

interface TilesProps {
  readonly now: Figures
  readonly row: Row
}

export function Tiles({ now: { stats, walBytes }, row }: TilesProps) {
  const { texts, units } = useAdmin()
  const { connections, memory, latency, disk, eventLoopDelay } = stats
  const isMeasured = latency.recent.count > 0
  const perMessage = row['messages'] ? (row['deliveries'] ?? 0) / row['messages'] : null
  return (
    <section aria-label={texts.overview}>
      <dl class="tiles">
        <Tile label={texts.connections} value={units.number(connections.now)}>
          {texts.ofMax(units.number(connections.max))}, {texts.users(stats.users.connected)}
        </Tile>
        <Tile label={texts.messages} value={units.number(row['messages'])} unit={texts.perSecondShort}>
          {texts.requestsNow(units.number(row['requests']))}
        </Tile>
        <Tile label={texts.deliveries} value={units.number(row['deliveries'])} unit={texts.perSecondShort}>
          {texts.perMessage(units.number(perMessage))}
        </Tile>
        <Tile label={texts.latency} value={units.ms(isMeasured ? latency.recent.p99Ms : null)}>
          {texts.median(units.ms(isMeasured ? latency.recent.p50Ms : null))}
        </Tile>
        <Tile label={texts.errors} value={units.number(row['errors'])} unit={texts.perSecondShort}>
          {texts.sinceStart(units.number(stats.errors.total))}
        </Tile>
        <Tile label={texts.loop} value={units.ms(eventLoopDelay.p99Ms)}>
          {texts.loopText}
        </Tile>
        <Tile label={texts.memory} value={units.bytes(memory.rssBytes)}>
          {texts.ofLimit(
            units.percent((100 * memory.rssBytes) / memory.limitBytes),
            units.bytes(memory.limitBytes),
          )}
        </Tile>
        <Tile label={texts.wal} value={units.bytes(walBytes)}>
          {texts.diskFree(units.bytes(disk?.freeBytes))}
        </Tile>
      </dl>
    </section>
  )
}

interface TileProps {
  readonly label: string
  readonly value: string
  readonly unit?: string
  readonly children: preact.ComponentChildren
}

function Tile({ label, value, unit, children }: TileProps) {
  return (
    <div class="card tile">
      <dt>{label}</dt>
      <dd class="tile-value">
        {value} {unit !== undefined && <small>{unit}</small>}
      </dd>
      <dd class="soft small">{children}</dd>
    </div>
  )
}
