/**
 * Tables: threads, shards, busiest groups, and what was refused or closed.
 */
import { closeCodes } from '../../protocol/close-codes.ts'
import { useAdmin } from './admin-context.ts'
import type { Figures } from './figures.ts'
import { busyOf } from './series.ts'
import { Table } from './table.tsx'

interface TablesProps {
  readonly now: Figures
  readonly before: Figures | null
}

export function Tables({ now, before }: TablesProps) {
  const { texts, units } = useAdmin()
  const { stats, threads, busiest } = now
  const { number, ms, percent, bytes } = units
  const busy = busyOf(now, before)
  return (
    <div class="tables">
      <Table
        title={texts.threads}
        head={[texts.thread, texts.delay, texts.busy, texts.heap]}
        rows={threads.map(({ name, delayMs, heapUsedBytes }) => [
          name,
          ms(delayMs),
          percent(busy[name]),
          bytes(heapUsedBytes),
        ])}
      />
      <Table
        title={texts.shards}
        isWide
        head={[
          ...[texts.shard, texts.groups, texts.usersHead, texts.messages],
          ...[texts.inbox, texts.mail, texts.held, texts.uncommitted],
        ]}
        rows={stats.shards.map((shard, at) => [
          String(at),
          ...[
            shard.groups,
            shard.users,
            shard.posts,
            shard.inbox,
            shard.mail,
            shard.held,
            shard.uncommitted,
          ].map(number),
        ])}
      />
      <Table
        title={texts.busiest}
        note={texts.busiestOver(number(Math.round(busiest.overMs / 1_000)))}
        head={[texts.group, texts.messages, texts.perSecond]}
        rows={busiest.groups.map(({ groupId, messages }) => [
          groupId,
          number(messages),
          number(messages / Math.max(1, busiest.overMs / 1_000)),
        ])}
        empty={texts.noBusiest}
      />
      <Table
        title={texts.errorsByCode}
        head={[texts.code, texts.count]}
        rows={counts(stats.errors.byCode).map(([code, count]) => [code, number(count)])}
        empty={texts.noErrors}
      />
      <Table
        title={texts.closed}
        head={[texts.reason, texts.code, texts.count]}
        rows={[
          ...counts(stats.connections.ended).map(([reason, count]) => [
            reason,
            String(codeOf(reason) ?? ''),
            number(count),
          ]),
          ...counts(stats.connections.refused).map(([reason, count]) => [
            reason,
            texts.refusedUpgrade,
            number(count),
          ]),
        ]}
        empty={texts.noClosed}
      />
    </div>
  )
}

/** The names that were counted, the most frequent first. */
function counts(by: Readonly<Record<string, number>>): readonly (readonly [string, number])[] {
  return Object.entries(by)
    .filter(([, count]) => count > 0)
    .sort(([, one], [, other]) => other - one)
}

function codeOf(reason: string): number | undefined {
  return reason in closeCodes ? closeCodes[reason as keyof typeof closeCodes].code : undefined
}
