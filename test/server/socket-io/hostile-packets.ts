/**
 * Hostile packets: seeded input of a client that wants to do harm: packets that are almost valid, bytes that
 * are not, JSON that is deep, wide or has dangerous names, requests with wrong methods, lengths and sessions.
 */
import { requests } from '../../../protocol/requests.ts'

/** A sequence of numbers from 0 to 1 that depends on the seed only. */
export type Random = () => number

/** https://en.wikipedia.org/wiki/Xorshift */
export function seeded(seed: number): Random {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

export const below = (random: Random, limit: number): number => Math.floor(random() * limit)

export function pick<T>(random: Random, values: readonly T[]): T {
  return values[below(random, values.length)] as T
}

const names = Object.keys(requests).filter((name) => name !== 'authenticate')
const fieldNames = [
  ...[
    'groupId',
    'messageId',
    'messageIds',
    'content',
    'tempId',
    'type',
    'file',
    'fileSize',
    'fileName',
    'upTo',
  ],
  ...[
    'userId',
    'members',
    'kind',
    'query',
    'cursor',
    'limit',
    '__proto__',
    'constructor',
    'toString',
    'length',
  ],
]
const texts = [
  ...['', 'kitchen', 'kitchen:1', '\ud800', '\u0000', '\u202e', '💥', '../../etc/passwd', 'd_x', '99:99:99'],
  ...['x'.repeat(70_000), '"', '\\', '\x1e', 'data:;base64,AAAA', 'null', '9007199254740993', '-0', '[]'],
]

/** A value for JSON, at most `depth` levels deep. */
function value(random: Random, depth: number): unknown {
  const kind = below(random, depth > 0 ? 10 : 7)
  switch (kind) {
    case 0:
      return pick(random, [null, true, false])
    case 1:
      return pick(random, [0, -1, 1, 1.5, 1e308, -1e308, 2 ** 53, -(2 ** 31), 255, 256])
    case 2:
      return { _placeholder: true, num: pick(random, [0, 1, -1, 99, 0.5, '0', null]) }
    case 3:
      return { type: 'Buffer', data: pick(random, [[1, 2], [300], ['x'], 'AAAA', null, { length: 9 }]) }
    case 4:
    case 5:
    case 6:
      return pick(random, texts)
    case 7:
      return Array.from({ length: below(random, 5) }, () => value(random, depth - 1))
    default:
      return fields(random, depth - 1)
  }
}

function fields(random: Random, depth: number): unknown {
  const entries = Array.from({ length: below(random, 6) }, () => [
    pick(random, fieldNames),
    value(random, depth),
  ])
  return Object.fromEntries(entries)
}

function event(random: Random): string {
  const name = pick(random, [pick(random, names), pick(random, texts), pick(random, names)])
  const args = Array.from({ length: below(random, 4) }, () =>
    random() < 0.7 ? fields(random, 3) : value(random, 3),
  )
  return JSON.stringify([name, ...args])
}

/** Changes a few characters. */
function damaged(random: Random, text: string): string {
  let changed = text
  for (let i = below(random, 4); i >= 0; i--) {
    const at = below(random, changed.length + 1)
    const part = pick(random, [
      '',
      '"',
      '[',
      ']',
      '{',
      '}',
      ',',
      '-',
      '0',
      '9'.repeat(20),
      '/',
      '\ufffd',
      '\x1e',
    ])
    changed = changed.slice(0, at) + part + changed.slice(at + below(random, 3))
  }
  return changed
}

const deep = (random: Random): string => {
  const levels = pick(random, [10, 100, 5_000, 50_000])
  const [open, close] = pick(random, [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const)
  return `${open.repeat(levels)}0${random() < 0.5 ? close.repeat(levels) : ''}`
}

/** One packet of Engine.IO, as text or as bytes. */
export function hostilePacket(random: Random): string | Buffer {
  const ackId = pick(random, ['', '1', '0', '999999999999999', '99999999999999999999', '-1', 'x'])
  const attachments = pick(random, ['0-', '1-', '2-', '10-', '11-', '999-', '-1-', '1e1-', ''])
  const namespace = pick(random, [
    '',
    '',
    '/,',
    '/socket.io/,',
    '/x,',
    '/x?y=1,',
    '/',
    `/${'n'.repeat(300)},`,
  ])
  switch (below(random, 14)) {
    case 0:
      return Buffer.from(Array.from({ length: below(random, 40) }, () => below(random, 256)))
    case 1:
      return damaged(random, `42${ackId}${event(random)}`)
    case 2:
      return `45${attachments}${namespace}${ackId}${event(random)}`
    case 3:
      return `42${ackId}["${pick(random, names)}",${deep(random)}]`
    case 4:
      return `4${pick(random, ['0', '1', '3', '4', '6', '7', '', 'a', '-1'])}${namespace}${ackId}${random() < 0.5 ? '' : event(random)}`
    case 5:
      return pick(random, [
        '',
        '0',
        '1',
        '2',
        '3',
        '3probe',
        '5',
        '6',
        '7',
        'b',
        'bAAAA',
        '4',
        '40',
        '41',
        '2probe',
      ])
    case 6:
      return `40${namespace}${JSON.stringify(value(random, 3))}`
    case 7:
      return `46${attachments}${ackId}${JSON.stringify([value(random, 3)])}`
    default:
      return `42${namespace}${random() < 0.5 ? ackId : below(random, 1_000)}${event(random)}`
  }
}

/** The bytes of an HTTP request, complete or not. */
export function hostileRequest(random: Random, sids: readonly string[]): Buffer {
  const sid = pick(random, ['', 'none', '\u00e9', 'x'.repeat(5_000), ...sids])
  const method = pick(random, ['GET', 'POST', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'BREW'])
  const query = [
    `EIO=${pick(random, ['4', '4', '4', '3', '', 'x'])}`,
    `transport=${pick(random, ['polling', 'polling', 'websocket', 'x', ''])}`,
    ...(sid === '' ? [] : [`sid=${encodeURIComponent(sid)}`]),
    ...pick(random, [[], ['EIO=4', 'EIO=3'], ['token=x.y.z'], ['%ff=%'], ['j=1'], ['b64=1']]),
  ].join('&')
  const path = pick(random, ['/socket.io/', '/socket.io/', '/socket.io', '/socket.io/x', '/socket.io//'])
  const packets = Array.from({ length: 1 + below(random, 6) }, () => {
    const packet = hostilePacket(random)
    return typeof packet === 'string' ? packet : `b${packet.toString('base64')}`
  })
  const body = Buffer.from(packets.join('\x1e'))
  const length = pick(random, [body.length, body.length, body.length, body.length + 10, 0, 2 ** 31])
  const headers = [
    'Host: x',
    `Content-Length: ${length}`,
    ...pick(random, [[], ['Origin: https://x.example'], ['Authorization: Bearer x'], ['Content-Type: x']]),
    ...pick(random, [
      ...[[], [], []],
      ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'],
      ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='],
    ]),
  ]
  return Buffer.concat([
    Buffer.from(`${method} ${path}?${query} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`),
    body,
  ])
}
