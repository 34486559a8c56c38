import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/conditions.ts'
import { type Samples, scrape } from './prometheus-text.ts'
import { startServer } from './server.ts'

interface Alert {
  readonly name: string
  readonly expr: string
  readonly rest: string
}

const source = readFileSync(new URL('../../../docs/alerts.yml', import.meta.url), 'utf8')
const alerts: readonly Alert[] = source
  .split(/^\s*- alert: /m)
  .slice(1)
  .map((block) => {
    const [, name = '', expr = '', rest = ''] =
      /^(\w+)\n\s+expr: (?:>-)?([\s\S]+?)\n\s+((?:for|labels):[\s\S]+)$/.exec(block) ?? []
    return { name, expr, rest }
  })

/** Labels that Prometheus adds. */
const added = ['instance', 'job']

describe('docs/alerts.yml', () => {
  it('contains the rules that an operator needs', () => {
    expect(alerts.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'TertuliaConnectionsNearLimit',
        'TertuliaSlowAnswers',
        'TertuliaErrorRate',
        'TertuliaMemoryHigh',
        'TertuliaStorageFailing',
      ]),
    )
  })

  it.each(alerts)('$name uses only metrics that a real server exports', async ({ expr }) => {
    const server = await startServer()
    const names = [...expr.matchAll(/\btertulia_\w+/g)].map(([name]) => name)
    expect(names.length).toBeGreaterThan(0)
    // The figures of the disk follow the first look at it.
    const samples = await eventually(async () => {
      const { samples: now } = await scrape(server)
      for (const name of names) expect([name, has(now, name, {})]).toEqual([name, true])
      return now
    })
    for (const [, name = '', matchers = ''] of expr.matchAll(/(tertulia_\w+)\{([^}]*)\}/g)) {
      const labels = Object.fromEntries(
        [...matchers.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) => [label, value]),
      )
      expect([name, labels, has(samples, name, labels)]).toEqual([name, labels, true])
    }
    const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(/, */))
    for (const label of grouped.filter((found) => !added.includes(found))) {
      const known = samples.some((sample) => names.includes(sample.name) && label in sample.labels)
      expect([label, known]).toEqual([label, true])
    }
  })

  it.each(alerts)('$name has a severity, a summary, and instructions', ({ rest }) => {
    expect(rest).toMatch(/severity: (critical|warning|info)\n/)
    expect(rest).toMatch(/summary: "[^"]+\."\n/)
    expect(rest).toMatch(/runbook: >-\n[\s\S]+\./)
  })
})

function has(samples: Samples, name: string, labels: Readonly<Record<string, string>>): boolean {
  return samples.some(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  )
}
