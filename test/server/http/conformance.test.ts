import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { errors } from '../../../protocol/errors.ts'
import { subprotocols } from '../../../protocol/subprotocols.ts'
import { apiRoutes } from '../../../server/http/api-routes.ts'
import { startRows } from '../rows/harness.ts'

interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly example?: object }>> }
  readonly responses: Readonly<Record<string, { readonly $ref?: string }>>
}

interface Call {
  readonly query?: Readonly<Record<string, string>>
  readonly body?: object
  readonly as?: string
}

/** A key as a part of a JSON pointer. */
const part = (key: string) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))

/** A server, and a function that validates requests and responses against its own /openapi.json. */
async function described() {
  const rows = await startRows(subprotocols.json)
  const api = (await (await fetch(`${rows.server.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, Operation>>
  }
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  ajv.addSchema(api, 'api')
  const wrongs = (pointer: string, value: unknown) => {
    const validate = ajv.compile({ $ref: `api#${pointer}/content/application~1json/schema` })
    return validate(value)
      ? []
      : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`)
  }
  const asked = new Set<string>()
  const ask = async (
    call: string,
    fields: Record<string, string>,
    { query, body, as = 'ana' }: Call = {},
  ) => {
    const [method = '', path = ''] = call.split(' ')
    const operation = api.paths[path]?.[method.toLowerCase()]
    const at = `/paths/${part(path)}/${method.toLowerCase()}`
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(fields[name] ?? ''))
    const response = await fetch(`${rows.server.url}${filled}?${new URLSearchParams(query)}`, {
      method,
      headers: { authorization: `Bearer ${await rows.tokenOf(as)}` },
      ...(body && { body: JSON.stringify(body) }),
    })
    const answer = (await response.json()) as never
    if (response.ok) {
      asked.add(call)
      if (body) expect([call, wrongs(`${at}/requestBody`, body)]).toEqual([call, []])
    }
    const status = operation?.responses[response.status] ? String(response.status) : 'default'
    const pointer = operation?.responses[status]?.$ref?.slice(1) ?? `${at}/responses/${status}`
    expect([call, response.status, wrongs(pointer, answer)]).toEqual([call, response.status, []])
    expect([call, status === 'default']).toEqual([call, !response.ok])
    return answer
  }
  return { rows, ask, asked, api, wrongs }
}

const group = '/api/chat/groups/{groupId}'
const message = '/api/chat/messages/{messageId}'

describe('/openapi.json', () => {
  it('describes the request and the response of every route', async () => {
    const { rows, ask, asked } = await described()
    const fields = { groupId: 'kitchen', userId: 'eva', emoji: '👍' }
    await ask('POST /api/chat/groups', fields, {
      body: { kind: 'group', groupId: 'kitchen', name: 'Kitchen', members: ['bruno'] },
    })
    await ask('POST /api/chat/groups', fields, { body: { kind: 'direct', members: ['bruno'] } })
    await ask(`PATCH ${group}`, fields, { body: { topic: 'bread', visibility: 'open' } })
    await ask(`POST ${group}/members`, fields, { body: { userId: 'eva' } })
    const upload = await fetch(`${rows.server.url}/api/chat/files?groupId=kitchen&fileName=a.txt`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await rows.tokenOf('ana')}` },
      body: 'hello',
    })
    const { fileId } = (await upload.json()) as { fileId: string }
    const body = { content: 'olá, bruno', type: 'file', fileId, mentions: ['bruno'], tempId: 't1' }
    const posted = await ask(`POST ${group}/messages`, fields, { body })
    const { messageId } = (posted as { message: { messageId: string } }).message
    const named = { ...fields, messageId }
    await ask(`POST ${group}/messages`, fields, {
      body: { content: 'oi', replyToId: messageId },
      as: 'bruno',
    })
    await ask(`POST ${message}/reactions`, named, { body: { emoji: '👍' } })
    await ask(`PATCH ${message}`, named, { body: { content: 'olá' } })
    await ask(`POST ${group}/read`, fields, { body: { messageIds: [messageId] }, as: 'bruno' })
    await ask(`GET ${message}/receipts`, named)
    const ana = await rows.device('ana')
    await ana.get('pin_message', { messageId }, 'ok')
    await ana.get('create_group', { kind: 'group', groupId: 'secret' }, 'group')
    await ana.get('invite_member', { groupId: 'secret', userId: 'bruno' }, 'ok')
    await ask('GET /api/chat/invitations', {}, { as: 'bruno' })
    for (const of of ['messages', 'members', 'pins', 'online']) await ask(`GET ${group}/${of}`, fields)
    await ask('GET /api/chat/groups', {}, { query: { limit: '1' } })
    const found = { query: { query: 'olá' } }
    await expect
      .poll(async () => (await ask('GET /api/chat/search', {}, found)) as object, { timeout: 10_000 })
      .toMatchObject({ hits: [{}] })
    await ask(`GET ${group}/search`, fields, found)
    await ask('GET /api/chat/users/search', {}, { query: { query: 'bru' } })
    await ask('GET /api/chat/users/contacts', {})
    await ask('POST /api/chat/blocked', {}, { body: { userId: 'carl' } })
    await ask('GET /api/chat/blocked', {})
    await ask('DELETE /api/chat/blocked/{userId}', { userId: 'carl' })
    await ask(`DELETE ${message}/reactions/{emoji}`, named)
    await ask(`POST ${message}/recall`, named)
    await ask(`GET ${group}/messages`, fields)
    await ask(`DELETE ${message}`, { messageId: await ana.post('kitchen') })
    await ask(`DELETE ${group}/members/{userId}`, fields)
    expect([...asked].toSorted()).toEqual(apiRoutes.map(({ method, path }) => `${method} ${path}`).toSorted())
  })

  it('has an example for each body, which the route accepts', async () => {
    const { api, wrongs } = await described()
    for (const { method, path } of apiRoutes) {
      const { requestBody } = api.paths[path]?.[method.toLowerCase()] ?? {}
      if (!requestBody) continue
      const example = requestBody.content['application/json']?.example
      const at = `/paths/${part(path)}/${method.toLowerCase()}/requestBody`
      expect([path, wrongs(at, example)]).toEqual([path, []])
    }
  })

  it('describes the error response', async () => {
    const { rows, ask } = await described()
    await (await rows.device('ana')).group({ groupId: 'kitchen', members: ['bruno'] })
    const fields = { groupId: 'kitchen', userId: 'eva' }
    const refusals = [
      await ask(`GET ${group}/messages`, fields, { query: { limit: 'many' } }),
      await ask(`GET ${group}/messages`, fields, { as: 'eva' }),
      await ask(`PATCH ${group}`, fields, { body: { topic: 'x' }, as: 'bruno' }),
      await ask(`GET ${group}/messages`, { groupId: 'none' }),
      await ask('POST /api/chat/groups', {}, { body: { kind: 'group', groupId: 'kitchen' } }),
      await ask(`POST ${group}/messages`, fields, { body: { content: 'x'.repeat(70_000) } }),
    ] as { error: { code: keyof typeof errors } }[]
    expect(refusals.map(({ error }) => errors[error.code].status)).toEqual([400, 404, 403, 404, 409, 413])
  })
})
