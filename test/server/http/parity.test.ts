import { describe, expect, it } from 'vitest'
import { requests } from '../../../protocol/requests.ts'
import type { FieldMap, FieldType, Shape } from '../../../protocol/schema.ts'
import { subprotocols } from '../../../protocol/subprotocols.ts'
import { type ApiRoute, apiRoutes, pathFields, takesBody } from '../../../server/http/api-routes.ts'
import { startRows } from '../rows/harness.ts'

/** A value that a field takes; of a group and a message those that are there. */
function valid(name: string, { shape }: FieldType): unknown {
  if (name === 'groupId') return 'kitchen'
  if (name === 'messageId' || name === 'replyToId') return 'kitchen:2'
  if (name === 'messageIds') return ['kitchen:2']
  if (shape.kind === 'oneOf') return shape.values[0]
  if (shape.kind === 'uint') return 1
  if (shape.kind === 'list') return []
  return 'x'
}

/** Values that a field of this shape does not take: as much as one over its limit, and of another kind. */
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

/** What only JSON can say wrongly: a query and a path have only texts. */
function wronglyTyped(shape: Shape): readonly unknown[] {
  return shape.kind === 'list' ? ['x', [5]] : [true, {}, shape.kind === 'uint' ? '1' : 1]
}

/** The call that asks the same over HTTP. */
function callOf(route: ApiRoute, fields: Readonly<Record<string, unknown>>) {
  const inPath = pathFields(route)
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(fields[name])))
  const rest = Object.entries(fields).filter(([name]) => !inPath.includes(name))
  if (takesBody(route)) return { path, body: JSON.stringify(Object.fromEntries(rest)) }
  const query = new URLSearchParams(rest.map(([name, value]) => [name, String(value)]))
  return { path: `${path}?${query}`, body: undefined }
}

interface Case {
  readonly field: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** One wrong field each; and each required one left off where that still names the route. */
function casesOf(route: ApiRoute): readonly Case[] {
  const known: FieldMap = requests[route.request].fields
  const required = Object.entries(known).filter(([, { optional }]) => !optional)
  const good = Object.fromEntries(required.map(([name, field]) => [name, valid(name, field)]))
  return Object.entries(known).flatMap(([field, { shape, optional }]) => {
    const inPath = pathFields(route).includes(field)
    const typed = takesBody(route) && !inPath ? wronglyTyped(shape) : []
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
        // A socket that sends ten such frames is closed, so that each has its own.
        const socket = await device('ana')
        const refusal = await socket.refusal(route.request, fields)
        socket.ws.terminate()
        // `message_error` names no field.
        expect([said, refusal]).toEqual([
          said,
          expect.stringMatching(new RegExp(`^bad_request( ${field})?$`)),
        ])
      }
    },
    30_000,
  )

  it('a message is posted once, whichever way it comes again', async () => {
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
