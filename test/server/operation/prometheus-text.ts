/**
 * Prometheus text: a server's /metrics, parsed sample by sample.
 */
import type { Server } from '../../../server/server.ts'

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export type Samples = readonly Sample[]

export interface Scrape {
  readonly text: string
  readonly contentType: string
  readonly samples: Samples
}

/** Scrapes the server. */
export async function scrape(server: Pick<Server, 'url'>): Promise<Scrape> {
  const response = await fetch(`${server.url}/metrics`)
  const text = await response.text()
  if (response.status !== 200) throw new Error(`/metrics answered ${response.status}: ${text}`)
  return { text, contentType: response.headers.get('content-type') ?? '', samples: samplesOf(text) }
}

function samplesOf(text: string): Samples {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', labels = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/i.exec(line) ?? []
      if (name === '') throw new Error(`not a sample: ${line}`)
      const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, of]) => [label, of])
      return { name, labels: Object.fromEntries(pairs), value: Number(value) }
    })
}
