/**
 * Charts: the lines of each chart.
 */
import { useAdmin } from './admin-context.ts'
import { Chart, type Line } from './chart.tsx'
import { namesOf, type Row } from './series.ts'

const wireNames: Readonly<Record<string, string>> = {
  'tertulia.v1.msgpack': 'msgpack',
  'tertulia.v1.json': 'JSON',
  'socket.io': 'Socket.IO',
}

/** The name of a subprotocol, in short. */
export function wireName(protocol: string): string {
  return wireNames[protocol] ?? protocol
}

export function Charts({ rows }: { readonly rows: readonly Row[] }) {
  const { texts, units } = useAdmin()
  const last = rows.at(-1)
  const wires = linesOf(last, 'wire:', wireName)
  const delays = linesOf(last, 'delay:')
  const busy = linesOf(last, 'busy:')
  const line = (key: string, label = key): Line => ({ key, label })
  const { number, ms, bytes, percent } = units
  return (
    <section aria-labelledby="charts" class="stack">
      <h2 id="charts">{texts.charts}</h2>
      <div class="charts">
        <Chart title={texts.chartWires} lines={wires} rows={rows} format={number} />
        <Chart
          title={texts.chartMessages}
          lines={[line('messages', texts.seriesMessages), line('requests', texts.seriesRequests)]}
          rows={rows}
          format={number}
        />
        <Chart
          title={texts.chartDeliveries}
          lines={[line('deliveries', texts.seriesDeliveries)]}
          rows={rows}
          format={number}
        />
        <Chart
          title={texts.chartLatency}
          note={texts.chartLatencyNote}
          lines={[line('p50'), line('p90'), line('p99')]}
          rows={rows}
          format={ms}
        />
        <Chart title={texts.chartDelay} note={texts.chartDelayNote} lines={delays} rows={rows} format={ms} />
        <Chart title={texts.chartBusy} lines={busy} rows={rows} format={percent} />
        <Chart
          title={texts.chartQueues}
          lines={[
            line('inbox', texts.seriesInbox),
            line('mail', texts.seriesMail),
            line('held', texts.seriesHeld),
            line('uncommitted', texts.seriesUncommitted),
            line('unanswered', texts.seriesUnanswered),
          ]}
          rows={rows}
          format={number}
        />
        <Chart
          title={texts.chartMemory}
          lines={[
            line('rss', texts.seriesRss),
            line('heap', texts.seriesHeap),
            line('external', texts.seriesExternal),
          ]}
          rows={rows}
          format={bytes}
        />
        <Chart
          title={texts.chartWal}
          lines={[line('wal', texts.seriesWal), line('unsent', texts.seriesUnsent)]}
          rows={rows}
          format={bytes}
        />
        <Chart
          title={texts.chartArrivals}
          lines={[
            line('opened', texts.seriesOpened),
            line('ended', texts.seriesEnded),
            line('refused', texts.seriesRefused),
          ]}
          rows={rows}
          format={number}
        />
        <Chart
          title={texts.chartLoaded}
          lines={[line('groups', texts.seriesGroups), line('users', texts.seriesUsers)]}
          rows={rows}
          format={number}
        />
        <Chart
          title={texts.chartErrors}
          lines={[line('errors', texts.seriesErrors)]}
          rows={rows}
          format={number}
        />
      </div>
    </section>
  )
}

function linesOf(row: Row | undefined, prefix: string, label = (name: string) => name): readonly Line[] {
  return namesOf(row, prefix).map((name) => ({ key: prefix + name, label: label(name) }))
}
