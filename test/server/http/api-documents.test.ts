import { Parser } from '@asyncapi/parser'
import { Validator } from '@seriousme/openapi-schema-validator'
import * as built from 'tertulia/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { errors } from '../../../protocol/errors.ts'
import { events } from '../../../protocol/events.ts'
import { records } from '../../../protocol/records.ts'
import { requests } from '../../../protocol/requests.ts'
import { apiRoutes } from '../../../server/http/api-routes.ts'
import { temporaryFolder } from '../../support/engines.ts'

/** The built server, which includes Swagger UI. */
async function aServer(): Promise<string> {
  const quiet = { info() {}, warn() {}, error() {} }
  const server = await built.createServer({
    port: 0,
    host: '127.0.0.1',
    dataDir: temporaryFolder(),
    shards: 'inline',
    logger: quiet,
  })
  onTestFinished(() => server.close())
  return server.url
}

async function documentAt(path: string) {
  const response = await fetch(`${await aServer()}${path}`)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/json')
  return (await response.json()) as {
    readonly paths: Record<string, Record<string, { operationId?: string }>>
    readonly components: { readonly schemas: Record<string, object> }
  }
}

describe('/openapi.json', () => {
  it('is valid OpenAPI 3.1 for a public validator', async () => {
    const result = await new Validator().validate(await documentAt('/openapi.json'))
    expect(result.errors).toBeUndefined()
    expect(result.valid).toBe(true)
  })

  it('contains every route, record and error, with unique operation ids', async () => {
    const { paths, components } = await documentAt('/openapi.json')
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => ({ path, method, operationId })),
    )
    for (const { path, method } of apiRoutes) {
      expect(operations).toContainEqual(expect.objectContaining({ path, method: method.toLowerCase() }))
    }
    const ids = operations.flatMap(({ operationId }) => operationId ?? [])
    expect(new Set(ids).size).toBe(ids.length)
    const { schemas } = components
    expect(Object.keys(schemas)).toEqual(expect.arrayContaining(Object.keys(records)))
    for (const code of Object.keys(errors)) expect(JSON.stringify(schemas['Error'])).toContain(`"${code}"`)
  })
})

describe('/asyncapi.json', () => {
  it('is valid AsyncAPI 3 for the official parser, with every request and event', async () => {
    const text = JSON.stringify(await documentAt('/asyncapi.json'))
    const { document, diagnostics } = await new Parser().parse(text)
    const mistakes = diagnostics.filter(({ severity }) => severity === 0)
    expect(mistakes.map(({ message, path }) => `${path.join('.')}: ${message}`)).toEqual([])
    const operations = document?.operations().all() ?? []
    const ids = operations.map((operation) => operation.id())
    for (const name of Object.keys(requests)) expect(ids).toContain(`request.${name}`)
    for (const name of Object.keys(events)) expect(ids).toContain(`event.${name}`)
  })
})

describe('/swagger', () => {
  it('is a page that loads everything from this server', async () => {
    const url = await aServer()
    const response = await fetch(`${url}/swagger`)
    expect(response.headers.get('content-security-policy')).toMatch(/default-src 'none'; script-src 'self'/)
    const page = await response.text()
    expect(page).not.toMatch(/https?:\/\//)
    const parts = [...page.matchAll(/<(?:script|link)\b[^>]* (?:src|href)="(\/[^"]+)"/g)].map(
      ([, path]) => path,
    )
    expect(parts).toHaveLength(4)
    for (const path of parts) {
      const part = await fetch(new URL(path ?? '', `${url}/swagger`))
      expect([path, part.status]).toEqual([path, 200])
      expect((await part.text()).length).toBeGreaterThan(100)
    }
  })
})
