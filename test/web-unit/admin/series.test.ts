import { describe, expect, it } from 'vitest'
import { alertRules } from '../../../server/admin/alerts.ts'
import type { Figures } from '../../../web/admin/figures.ts'
import { en } from '../../../web/admin/i18n/en.ts'
import { pt } from '../../../web/admin/i18n/pt.ts'
import { namesOf, rowOf } from '../../../web/admin/series.ts'
import { createUnits } from '../../../web/admin/units.ts'
import { createFormat } from '../../../web/i18n/format.ts'

interface Given {
  readonly uptimeMs: number
  readonly posts: number
  readonly activeMs: number
}

function figuresAt({ uptimeMs, posts, activeMs }: Given): Figures {
  const queues = { inbox: 1, mail: 0, held: 0, uncommitted: 0 }
  return {
    stats: {
      version: '1.0.0',
      uptimeMs,
      transport: { name: 'uws' },
      connections: {
        now: 3,
        max: 10,
        byProtocol: { a: 1, b: 2 },
        opened: 5,
        refused: {},
        ended: { revoked: 2 },
      },
      users: { connected: 1 },
      groups: { active: 1 },
      requests: { total: 10 },
      deliveries: { total: 20 },
      errors: { total: 0, byCode: {} },
      latency: { recent: { count: 0, p50Ms: 0, p90Ms: 0, p99Ms: 0, maxMs: 0 } },
      queues: { unanswered: 0, httpPending: 0, unsentBytes: 0 },
      shards: [0, 1].map(() => ({ groups: 1, users: 1, posts, storageFails: false, ...queues })),
      search: { lag: 0, documents: 0 },
      disk: null,
      memory: { rssBytes: 1, heapUsedBytes: 1, externalBytes: 1, limitBytes: 2 },
      eventLoopDelay: { p50Ms: 0, p99Ms: 0, maxMs: 0 },
    },
    threads: [{ name: 'main', delayMs: 4, activeMs, idleMs: uptimeMs - activeMs, heapUsedBytes: null }],
    walBytes: null,
    busiest: { overMs: 0, groups: [] },
    alerts: [],
    logNext: null,
  }
}

const before = figuresAt({ uptimeMs: 1_000, posts: 10, activeMs: 100 })
const now = figuresAt({ uptimeMs: 3_000, posts: 15, activeMs: 600 })

describe('a row', () => {
  it('has rates by the time between the polls, and the sums of all shards', () => {
    const row = rowOf(now, before, 9_000)
    expect(row).toMatchObject({ at: 9, messages: 5, requests: 0, inbox: 2, 'busy:main': 25, 'delay:main': 4 })
    expect(namesOf(row, 'wire:')).toEqual(['a', 'b'])
  })

  it('has no rates without an earlier poll, and no percentiles of nothing', () => {
    expect(rowOf(now, null, 0)).toMatchObject({ messages: null, 'busy:main': null, p99: null, wal: null })
  })
})

describe('the texts', () => {
  it.each([en, pt])('explain every alert', ({ alertTexts }) => {
    expect(Object.keys(alertTexts)).toEqual(Object.keys(alertRules))
  })

  it('write numbers with their units', () => {
    const units = createUnits(createFormat('en'))
    expect([units.ms(0.234), units.ms(42.4), units.ms(1_500)]).toEqual(['0.23 ms', '42 ms', '1.5s'])
    expect([units.percent(0.007), units.percent(99.7), units.number(1_234.5)]).toEqual([
      '0%',
      '100%',
      '1,235',
    ])
    expect([units.number(null), units.bytes(undefined)]).toEqual(['–', '–'])
    expect([5_000, 120_000, 7_200_000, 172_800_000].map(units.duration)).toEqual(['5s', '2m', '2h', '2d'])
  })
})
