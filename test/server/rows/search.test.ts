import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/conditions.ts'
import { type Device, startRows, wires } from './harness.ts'

describe.each(wires)('search over $wire', ({ protocol }) => {
  /** Ana and Bruno, their group, and Eva, who is not a member. */
  async function kitchen() {
    const rows = await startRows(protocol)
    const [ana, bruno, eva] = [await rows.device('ana'), await rows.device('bruno'), await rows.device('eva')]
    const groupId = await ana.group({ name: 'Kitchen', members: ['bruno'] })
    return { rows, ana, bruno, eva, groupId }
  }
  const search = (device: Device, query: string, filters: object = {}) =>
    device.get('search', { query, ...filters }, 'search_results')
  const contents = async (device: Device, query: string, filters: object = {}) =>
    (await search(device, query, filters)).hits.map(({ message }) => message.content)
  /** Waits until these results are found. */
  const finds = (device: Device, query: string, expected: readonly string[], filters: object = {}) =>
    eventually(async () => expect(await contents(device, query, filters)).toEqual(expected))

  it('search finds messages in the caller’s groups, with the words marked', async () => {
    const { ana, bruno, groupId } = await kitchen()
    await ana.post(groupId, 'A Reunião é amanhã às 9h')
    const messageId = await bruno.post(groupId, 'reunião <adiada>')
    await finds(ana, 'reuniao', ['reunião <adiada>', 'A Reunião é amanhã às 9h'])
    const { hits, hasMore } = await search(bruno, 'reuniao', { limit: 1 })
    expect(hasMore).toBe(true)
    expect(hits).toMatchObject([
      {
        message: { messageId, groupId, senderId: 'bruno', senderName: 'Bruno', type: 'text' },
        snippet: '<mark>reunião</mark> &lt;adiada&gt;',
      },
    ])
    expect(hits[0]?.rank).toBeGreaterThan(0)
    await finds(ana, '"e amanha" reuni*', ['A Reunião é amanhã às 9h'])
  })

  it('search filters by group, sender and time', async () => {
    const { ana, bruno, groupId } = await kitchen()
    const other = await ana.group()
    await ana.post(groupId, 'bread one')
    await bruno.post(groupId, 'bread two')
    await ana.post(other, 'bread three')
    await finds(ana, 'bread', ['bread three', 'bread two', 'bread one'])
    await finds(ana, 'bread', ['bread three'], { groupId: other })
    await finds(ana, 'bread', ['bread two'], { senderId: 'bruno' })
    const [, second] = (await search(ana, 'bread')).hits
    const at = second?.message.createdAt ?? 0
    for (const { message } of (await search(ana, 'bread', { before: at })).hits) {
      expect(message.createdAt).toBeLessThan(at)
    }
    for (const { message } of (await search(ana, 'bread', { after: at })).hits) {
      expect(message.createdAt).toBeGreaterThan(at)
    }
    expect(await contents(ana, 'bread', { after: at + 3_600_000 })).toEqual([])
  })

  it('search lists every hit once over its pages, also if many share a millisecond', async () => {
    const { ana, groupId } = await kitchen()
    const sent = await Promise.all(Array.from({ length: 60 }, (_, i) => ana.post(groupId, `bread ${i}`)))
    await eventually(async () => expect((await search(ana, 'bread', { limit: 100 })).hits).toHaveLength(60))
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await search(ana, 'bread', { limit: 10, cursor })
      expect(page.hasMore).toBe(page.cursor !== undefined)
      seen.push(...page.hits.map(({ message }) => message.messageId))
      cursor = page.cursor
    } while (cursor !== undefined)
    expect(seen).toHaveLength(60) // PAG-1
    expect(new Set(seen)).toEqual(new Set(sent))
  })

  it('search shows no messages of other users’ groups', async () => {
    const { ana, bruno, eva, groupId } = await kitchen()
    await ana.post(groupId, 'bread')
    await finds(bruno, 'bread', ['bread'])
    expect(await contents(eva, 'bread')).toEqual([])
    expect(await eva.refusal('search', { query: 'bread', groupId })).toBe('not_found groupId')
    expect(await eva.refusal('search', { query: 'bread', groupId: 'none' })).toBe('not_found groupId')
    await ana.get('remove_member', { groupId, userId: 'bruno' }, 'ok')
    expect(await contents(bruno, 'bread')).toEqual([])
    expect(await bruno.refusal('search', { query: 'bread', groupId })).toBe('not_found groupId')
    await ana.get('add_member', { groupId, userId: 'eva' }, 'ok')
    expect(await contents(eva, 'bread')).toEqual(['bread'])
  })

  it('search follows edits, deletions and recalls', async () => {
    const { ana, groupId } = await kitchen()
    const edited = await ana.post(groupId, 'bread one')
    const deleted = await ana.post(groupId, 'bread two')
    const recalled = await ana.post(groupId, 'bread three')
    await finds(ana, 'bread', ['bread three', 'bread two', 'bread one'])
    await ana.get('delete_message', { messageId: deleted }, 'ok')
    await ana.get('recall_message', { messageId: recalled }, 'ok')
    await ana.get('edit_message', { messageId: edited, content: 'butter' }, 'ok')
    expect(await contents(ana, 'bread')).toEqual([])
    await finds(ana, 'butter', ['butter'])
    const [hit] = (await search(ana, 'butter')).hits
    expect(hit?.message.editedAt).toBeGreaterThan(0)
  })

  it('search refuses queries that it cannot search for', async () => {
    const { ana, groupId } = await kitchen()
    expect(await ana.refusal('search', { query: '' })).toBe('bad_request query')
    expect(await ana.refusal('search', { query: 'x'.repeat(257) })).toBe('bad_request query')
    expect(await ana.refusal('search', { query: 7 })).toBe('bad_request query')
    expect(await ana.refusal('search', { query: 'x', limit: 101 })).toBe('bad_request limit')
    expect(await ana.refusal('search', { query: 'x', before: -1 })).toBe('bad_request before')
    expect(await ana.refusal('search', { query: 'x', groupId: 'a b' })).toBe('bad_request groupId')
    expect(await ana.refusal('search', { query: 'x', cursor: 'x' })).toBe('bad_request cursor')
    for (const query of [
      '"*" !?',
      'a* b* c* d* e*',
      'NEAR(a b)',
      'text : x',
      '-x',
      "x' OR 1",
      '{a} : b',
      '^x + y',
      'NOT',
    ]) {
      expect(await contents(ana, query, { groupId })).toEqual([])
    }
  })
})

describe.each(wires)('people over $wire', ({ protocol }) => {
  const ids = async (device: Device, query: string, more: object = {}) =>
    (await device.get('search_users', { query, ...more }, 'users')).users.map(({ userId }) => userId)

  it('search_users finds users who share a group with the caller, by prefix of a word or by id', async () => {
    const rows = await startRows(protocol)
    const [ana, , joao] = [await rows.device('ana'), await rows.device('bruno'), await rows.device('joão')]
    await rows.device('josé')
    await ana.group({ members: ['bruno', 'joão'] })
    expect(await ids(ana, 'jo')).toEqual(['joão'])
    expect(await ids(ana, 'JOAO')).toEqual(['joão'])
    expect(await ids(ana, 'oao')).toEqual([])
    expect(await ids(ana, 'josé')).toEqual([])
    expect(await ids(ana, 'ana')).toEqual([])
    expect(await ids(joao, 'a')).toEqual(['ana'])
    expect(await ids(ana, '!?')).toEqual([])
    expect(await ana.get('search_users', { query: 'bruno' }, 'users')).toMatchObject({
      users: [{ userId: 'bruno', name: 'Bruno', status: 'online' }],
    })
    expect(await ana.refusal('search_users', { query: '' })).toBe('bad_request query')
    expect(await ana.refusal('search_users', { query: 'x', limit: 0 })).toBe('bad_request limit')
  })

  it('search_users shows invisible users as offline', async () => {
    const rows = await startRows(protocol)
    const [ana, bruno] = [await rows.device('ana'), await rows.device('bruno')]
    await ana.group({ members: ['bruno'] })
    await bruno.get('update_status', { status: 'offline' }, 'ok')
    await eventually(async () => {
      const { users } = await ana.get('search_users', { query: 'bru' }, 'users')
      expect(users).toMatchObject([{ userId: 'bruno', status: 'offline' }])
    })
  })

  it('get_contacts returns the users of the caller’s direct chats, the most recent first', async () => {
    const rows = await startRows(protocol)
    const [ana, bruno] = [await rows.device('ana'), await rows.device('bruno')]
    await rows.device('clara')
    await rows.device('eva')
    await ana.group({ members: ['bruno', 'clara', 'eva'] })
    expect(await ana.get('get_contacts', {}, 'users')).toEqual({ users: [] })
    const withBruno = await ana.group({ kind: 'direct', members: ['bruno'] })
    const withClara = await ana.group({ kind: 'direct', members: ['clara'] })
    const contacts = async () =>
      (await ana.get('get_contacts', {}, 'users')).users.map(({ userId }) => userId)
    await ana.post(withClara, 'olá')
    expect(await contacts()).toEqual(['clara', 'bruno'])
    const before = Date.now()
    await eventually(() => expect(Date.now()).toBeGreaterThan(before))
    await bruno.post(withBruno, 'olá')
    expect(await contacts()).toEqual(['bruno', 'clara'])
    expect((await ana.get('get_contacts', { limit: 1 }, 'users')).users).toMatchObject([
      { userId: 'bruno', name: 'Bruno', status: 'online' },
    ])
    expect(await ana.refusal('get_contacts', { limit: 101 })).toBe('bad_request limit')
  })
})
