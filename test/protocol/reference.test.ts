import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Unpackr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { encodeEvent, encodeRequest } from '../../protocol/codec.ts'
import { errors } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { type Reference, type ReferenceField, reference } from '../../protocol/reference.ts'
import { docComments } from '../../scripts/docs/doc-comments.ts'
import { documents } from '../../scripts/docs/documents.ts'
import { eventNames, requestNames } from './arbitrary.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const written = [...documents(root)]
const file = (path: string) => (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : '')

describe.each(written)('%s', (path, text) => {
  // TRN-8
  it('is what `npm run docs` writes', () => {
    expect(file(path)).toBe(text)
  })
})

describe('docs/protocol.json', () => {
  const json = JSON.parse(file('docs/protocol.json')) as Reference

  it('has this form and no other keys', () => {
    const field = { name: expect.any(String), type: expect.any(String), optional: expect.any(Boolean) }
    expect(Object.keys(json)).toEqual(['version', 'messages', 'records', 'errors', 'closeCodes', 'limits'])
    for (const message of json.messages) {
      expect(message).toEqual({
        name: expect.any(String),
        code: expect.any(Number),
        direction: expect.stringMatching(/^(c2s|s2c)$/),
        fields: message.fields.map(() => field),
        ...(message.direction === 'c2s' && {
          answer: expect.any(String),
          budget: expect.stringMatching(/^[a-z]+$/),
          cost: expect.any(Number),
        }),
        ...(message.bytesPerToken && { bytesPerToken: expect.any(Number) }),
        ...(message.durable && { durable: message.durable }),
        ...(message.ephemeral && { ephemeral: true }),
      })
    }
    for (const fields of Object.values(json.records)) expect(fields).toEqual(fields.map(() => field))
    expect(json.errors).toEqual(Object.entries(errors).map(([code, row]) => ({ code, ...row })))
    expect(json.limits).toEqual(limits)
  })

  it('states answers, durability, retries, statuses and close codes', () => {
    const message = (name: string) => json.messages.find((row) => row.name === name)
    expect(message('send_message')).toMatchObject({ answer: 'message_sent', durable: 'event' })
    expect(message('search')).toMatchObject({ answer: 'search_results', budget: 'reads' })
    expect(message('new_message')).toMatchObject({ durable: true })
    expect(message('user_typing')).toMatchObject({ ephemeral: true })
    expect(json.errors).toContainEqual(
      expect.objectContaining({ code: 'overloaded', retry: true, status: 503 }),
    )
    const reconnects = json.closeCodes.filter(({ reconnect }) => reconnect).map(({ code }) => code)
    expect(reconnects).toEqual(expect.arrayContaining([1001, 1011, 4008, 4029]))
    expect(reconnects.every((code) => code < 4400)).toBe(true)
  })

  it('contains every message of both directions', () => {
    const named = (direction: string) =>
      json.messages.filter((message) => message.direction === direction).map(({ name }) => name)
    expect(named('c2s')).toEqual(requestNames)
    expect(named('s2c')).toEqual(eventNames)
  })

  it('is sufficient to decode a frame without the codec', () => {
    const frame = encodeEvent('new_message', 0, {
      message: {
        messageId: 'g:1',
        groupId: 'g',
        seq: 1,
        senderId: 'ana',
        senderName: 'Ana',
        type: 'text',
        content: 'olá',
        createdAt: 5,
        replyToId: 'g:0',
      },
    })
    const [code, ref, ...fields] = new Unpackr({ useRecords: false }).unpack(frame) as [
      number,
      number,
      unknown,
    ]
    const row = json.messages.find((message) => message.direction === 's2c' && message.code === code)
    expect(ref).toBe(0)
    expect(named(row?.fields, fields)).toEqual({
      message: expect.objectContaining({ content: 'olá', createdAt: 5, tempId: null, replyToId: 'g:0' }),
    })

    function named(of: readonly ReferenceField[] | undefined, values: readonly unknown[]): object {
      const entries = (of ?? []).map(({ name, type }, at) => {
        const value = values[at] ?? null
        const record = value === null ? undefined : json.records[type]
        return [name, record ? named(record, value as unknown[]) : value]
      })
      return Object.fromEntries(entries)
    }
  })

  it('names only types that it defines', () => {
    const known = /^(string|uint|bool|bytes|map|"[a-z]+"( \| "[a-z]+")*)$/
    const check = (type: string): void => {
      if (type.endsWith('[]')) check(type.slice(0, -2).replace(/^\((.*)\)$/, '$1'))
      else if (type.startsWith('[')) type.slice(1, -1).split(', ').forEach(check)
      else if (!json.records[type]) expect(type).toMatch(known)
    }
    const fields = [
      ...json.messages.flatMap((message) => message.fields),
      ...Object.values(json.records).flat(),
    ]
    for (const { type } of fields) check(type)
  })

  // INP-2
  it('states the budget and the cost of each request', () => {
    const costs = json.messages.filter(({ direction }) => direction === 'c2s')
    expect(costs.map(({ cost }) => cost).every(Number.isInteger)).toBe(true)
    const of = (name: string) => costs.find((message) => message.name === name)
    expect(of('send_message')).toMatchObject({ budget: 'events', cost: 1 })
    expect(of('get_groups')).toMatchObject({ budget: 'reads', cost: 5 })
    expect(of('create_group')).toMatchObject({ budget: 'events', cost: 1, bytesPerToken: 256 })
  })
})

describe('docs/PROTOCOL.md', () => {
  const page = file('docs/PROTOCOL.md')

  it('shows the bytes that the codec produces', () => {
    const frames = [
      encodeRequest('join_group', 1, { groupId: 'kitchen' }),
      encodeRequest('send_message', 7, { groupId: 'kitchen', content: 'olá', tempId: 't1' }),
    ]
    const blocks = [...page.matchAll(/```text\n(.*?)\n```/gs)].map(([, block = '']) => block)
    const shown = blocks.map((block) =>
      [...block.matchAll(/^[0-9a-f]{2}(?: [0-9a-f]{2})*(?= {2}|$)/gm)].join('').replaceAll(' ', ''),
    )
    for (const frame of frames) expect(shown).toContain(Buffer.from(frame).toString('hex'))
  })

  it('has a heading for every link within it', () => {
    const titles = [...page.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
      title.toLowerCase().replace(/ /g, '-'),
    )
    // A title that comes again is numbered.
    const headings = titles.map((title, at) => (titles.indexOf(title) === at ? title : `${title}-1`))
    const links = [...page.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor]) => anchor)
    expect(links.length).toBeGreaterThan(50)
    for (const link of links) expect(headings).toContain(link)
  })

  it('shows every form of an id: no angle bracket is read as HTML', () => {
    const prose = page
      .replace(/```.*?```/gs, '')
      .replace(/`[^`]*`/g, '')
      .replace(/<!--.*?-->/gs, '')
    expect(prose.match(/<[a-zA-Z]+>/g)).toBeNull()
  })

  it('describes every event and record', () => {
    const { messages } = reference()
    for (const { name } of messages) expect(page).toContain(`### ${name}\n`)
  })
})

describe('docComments', () => {
  it('reads the comment of a constant, a row and a field of a record', () => {
    const source = [
      '/** A table. */',
      'export const rows = {',
      '  /** One row. */',
      '  first: { code: 1 },',
      '  /**',
      '   * Two lines,',
      '   * one text.',
      '   */',
      '  second: {',
      '    /** Not a row. */',
      '    code: 2,',
      '  },',
      '  third: {},',
      '}',
      '/** A record. */',
      "export const Thing = defineRecord('Thing', {",
      '  /** Its field. */',
      '  size: uint(),',
      '  plain,',
      '})',
    ]
    expect(Object.fromEntries(docComments(source.join('\n')))).toEqual({
      rows: 'A table.',
      first: 'One row.',
      second: 'Two lines, one text.',
      Thing: 'A record.',
      'Thing.size': 'Its field.',
    })
  })
})
