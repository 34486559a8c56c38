/**
 * Document: docs/BENCHMARKS.md with its charts, from the results of a run.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { barRows } from './bars.ts'
import { chartOf } from './chart.ts'
import { peers } from './peers.ts'
import type { Results } from './results.ts'
import { cellsOf, DISTURBED, FULL_LOAD, markdownTable } from './table.ts'
import { workTable } from './work-table.ts'

/** What was measured, where and how. */
export interface RunFacts {
  readonly date: string
  readonly commit: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  readonly rounds: number
  readonly connections: number
  readonly command: string
  /** Versions by peer; null if it is not installed. */
  readonly versions: Readonly<Record<string, string | null>>
}

const docs = new URL('../../../docs/', import.meta.url)

/** Writes the page and its charts; returns the path of the page. */
export function writeDocument(results: Results, facts: RunFacts): string {
  const charts = new URL('benchmarks/', docs)
  mkdirSync(charts, { recursive: true })
  const sections = Object.entries(results).map(([name, trialsOf]) => {
    const work = workTable[name]
    if (!work) return ''
    const { head, rows } = cellsOf(work, trialsOf, facts.cores)
    const images = work.charts.flatMap((plan) => {
      const svg = chartOf(plan, trialsOf)
      if (svg === null) return []
      writeFileSync(new URL(`${plan.file}.svg`, charts), svg)
      return [`![${plan.title}](benchmarks/${plan.file}.svg)`]
    })
    return [`## ${work.title}`, work.question, markdownTable(head, rows), ...images].join('\n\n')
  })
  const file = fileURLToPath(new URL('BENCHMARKS.md', docs))
  writeFileSync(file, `${[...introduction(results, facts), ...sections].join('\n\n')}\n`)
  return file
}

function introduction(results: Results, facts: RunFacts): readonly string[] {
  const absent = Object.entries(facts.versions).filter(([, version]) => version === null)
  const compared = Object.entries(peers).filter(([name]) => facts.versions[name])
  const rows = compared.map(([name, peer]) => [
    peer.label,
    facts.versions[name] ?? '',
    peer.checks,
    peer.connects,
    peer.stores,
    peer.acknowledges,
    peer.recovery,
  ])
  const bars = barRows(results)
  return [
    '<!-- Made by `npm run bench:peers -- --write`: do not edit. -->',
    '# Benchmarks',
    'The same work against what could be used instead of Tertulia. Each peer runs in a process of its own, in turn, ' +
      'configured as its own documentation recommends; the load is one process with clients that decode nothing. ' +
      'All figures are medians of the rounds.',
    `- Machine: ${facts.cpu}, ${facts.cores} cores, ${facts.memoryGiB} GiB; ${facts.system}; Node ${facts.node}. ` +
      'Server and load share it.\n' +
      `- Date: ${facts.date.slice(0, 10)}; commit ${facts.commit}; ${facts.rounds} ${facts.rounds === 1 ? 'round' : 'rounds'}; ` +
      `${facts.connections.toLocaleString('en')} connections.\n` +
      `- Repeat: \`apt-get install nats-server mosquitto\`, then \`${facts.command}\`.`,
    `\`${FULL_LOAD}\`: the load process used more than 90 % of a core, so that it may be the limit. ` +
      `\`${DISTURBED}\`: other programs used more than 5 % of the machine, also when the measurement was repeated.`,
    ...absent.map(([name]) => `${peers[name]?.label} is left out: it was not installed.`),
    '## What each does',
    'Only Tertulia stores messages, reads or stores anything of a member who connects, and announces them to others. A peer ' +
      'that does not is faster for what it leaves out.',
    markdownTable(
      [
        '',
        'version',
        'checks',
        'for a member who connects',
        'stores',
        'an acknowledgement means',
        'a returning member receives',
      ],
      rows,
    ),
    ...(bars.length > 0
      ? ['## Tertulia beside its peers', markdownTable(['msgpack clients', 'figure', 'bar', ''], bars)]
      : []),
  ]
}
