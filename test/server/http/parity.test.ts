import { describe, expect, it } from 'vitest'
import { requests } from '../../../protocol/requests.ts'
import type { FieldMap, FieldType, Shape } from '../../../protocol/schema.ts'
import { subprotocols } from '../../../protocol/subprotocols.ts'
import { type ApiRoute, apiRoutes, hasBody, pathFields } from '../../../server/http/api-routes.ts'
import { startRows } from '../rows/harness.ts'

/** A valid value for a field; an existing id for a group and a message. */
function valid(name: string, { shape }: FieldType): unknown {
  if (name === 'groupId') return 'kitchen'
  if (name === 'messageId' || name === 'replyToId') return 'kitchen:2'
  if (name === 'messageIds') return ['kitchen:2']
  if (shape.kind === 'oneOf') return shape.values[0]
  if (shape.kind === 'uint') return 1
  if (shape.kind === 'list') return []
  return 'x'
}

/** Invalid values for a field of this shape: one above its limit, and other types. */
function invalid(shape: Shape): readonly unknown[] {
  switch (shape.kind) {
    case 'text':
    case 'name':
      return ['x'.repeat(shape.max + 1), 'é'.repeat(Math.floor(shape.max / 2) + 1)]
    case 'pattern':
      return ['not / this', 'x'.repeat(5_000)]
    case 'oneOf':
      return ['another']
    case 'uint':
      return [shape.max + 1, 'many', '-1', '1.5', ...(shape.min > 0 ? [shape.min - 1] : [])]
    case 'list':
      return [Array.from({ length: shape.max + 1 }, (_, i) => `kitchen:${i + 1}`)]
    default:
      return []
  }
}

/** Values that only JSON can express: a query and a path contain texts. */
function wronglyTyped(shape: Shape): readonly unknown[] {
  return shape.kind === 'list' ? ['x', [5]] : [true, {}, shape.kind === 'uint' ? '1' : 1]
}

/** The same request over HTTP. */
function callOf(route: ApiRoute, fields: Readonly<Record<string, unknown>>) {
  const inPath = pathFields(route)
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(fields[name])))
  const rest = Object.entries(fields).filter(([name]) => !inPath.includes(name))
  if (hasBody(route)) return { path, body: JSON.stringify(Object.fromEntries(rest)) }
  const query = new URLSearchParams(rest.map(([name, value]) => [name, String(value)]))
  return { path: `${path}?${query}`, body: undefined }
}

interface Case {
  readonly field: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** One invalid field each; and each required field omitted, if the route can be called without it. */
function casesOf(route: ApiRoute): readonly Case[] {
  const known: FieldMap = requests[route.request].fields
  const required = Object.entries(known).filter(([, { optional }]) => !optional)
  const good = Object.fromEntries(required.map(([name, field]) => [name, valid(name, field)]))
  return Object.entries(known).flatMap(([field, { shape, optional }]) => {
    const inPath = pathFields(route).includes(field)
    const typed = hasBody(route) && !inPath ? wronglyTyped(shape) : []
    const wrong = [...invalid(shape), ...typed].map((value) => ({
      field,
      fields: { ...good, [field]: value },
    }))
    if (optional || inPath || (route.idempotent && field === 'tempId')) return wrong
    const { [field]: _, ...without } = good
    return [...wrong, { field, fields: without }]
  })
}

describe('over HTTP and over a socket', () => {
  it.each(apiRoutes.map((route): [string, ApiRoute] => [`${route.method} ${route.path}`, route]))(
    'a wrong field is refused the same: %s',
    async (_, route) => {
      const { server, device, tokenOf } = await startRows(subprotocols.json)
      const ana = await device('ana')
      await ana.group({ groupId: 'kitchen' })
      await ana.post('kitchen')
      const authorization = `Bearer ${await tokenOf('ana')}`
      for (const { field, fields } of casesOf(route)) {
        const { path, body } = callOf(route, fields)
        const response = await fetch(server.url + path, {
          method: route.method,
          headers: { authorization },
          ...(body !== undefined && { body }),
        })
        const { error } = (await response.json()) as { error?: { code: string; field?: string } }
        const said = `${path.slice(0, 120)} ${body?.slice(0, 120) ?? ''}`
        expect([said, response.status, error?.code, error?.field]).toEqual([said, 400, 'bad_request', field])
        // Each frame uses a socket of its own, because ten malformed frames close a socket.
        const socket = await device('ana')
        const refusal = await socket.refusal(route.request, fields)
        socket.ws.terminate()
        // `message_error` has no field name.
        expect([said, refusal]).toEqual([
          said,
          expect.stringMatching(new RegExp(`^bad_request( ${field})?$`)),
        ])
      }
    },
    30_000,
  )

  it('a message is created once, also if it is retried the other way', async () => {
    const { server, device, tokenOf } = await startRows(subprotocols.json)
    const ana = await device('ana')
    await ana.group({ groupId: 'kitchen' })
    const authorization = `Bearer ${await tokenOf('ana')}`
    const post = async (key: Record<string, string>, body: object) => {
      const headers = { authorization, ...key }
      const url = `${server.url}/api/chat/groups/kitchen/messages`
      const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
      const { message, error } = (await response.json()) as {
        message?: { messageId: string }
        error?: { field: string }
      }
      return `${response.status} ${message?.messageId ?? error?.field}`
    }
    expect(await ana.post('kitchen', 'um', { tempId: 'pão' })).toBe('kitchen:2')
    expect(await post({}, { content: 'um', tempId: 'pão' })).toBe('201 kitchen:2')
    expect(await post({ 'idempotency-key': 'k' }, { content: 'dois', tempId: 'pão' })).toBe('201 kitchen:3')
    expect(await ana.post('kitchen', 'dois', { tempId: 'k' })).toBe('kitchen:3')
    expect(await post({ 'idempotency-key': 'k'.repeat(129) }, { content: 'x' })).toBe('400 tempId')
    expect(await post({}, { content: 'três' })).toBe('201 kitchen:4')
    expect(await post({}, { content: 'três' })).toBe('201 kitchen:5')
  })
})
