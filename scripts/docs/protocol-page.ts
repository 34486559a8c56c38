/**
 * The protocol page: `docs/PROTOCOL.md`, made from the tables and the comments of their rows.
 */
import { closeCodes } from '../../protocol/close-codes.ts'
import { errors } from '../../protocol/errors.ts'
import { type EventSpec, events } from '../../protocol/events.ts'
import { limits } from '../../protocol/limits.ts'
import { records } from '../../protocol/records.ts'
import { type RequestSpec, requests } from '../../protocol/requests.ts'
import type { FieldMap, FieldType } from '../../protocol/schema.ts'
import { subprotocols } from '../../protocol/subprotocols.ts'
import type { DocComments } from './doc-comments.ts'
import { wireExample } from './wire-example.ts'

/** The comments of each table, by the file that holds it. */
export interface ProtocolComments {
  readonly requests: DocComments
  readonly events: DocComments
  readonly records: DocComments
  readonly limits: DocComments
}

const routes = {
  group: 'the group that the first field names',
  user: 'the caller',
  connection: 'the connection itself',
} as const satisfies Record<RequestSpec['route'], string>

/** Builds the page. */
export function protocolPage(comments: ProtocolComments): string {
  const sections = [
    introduction(),
    frames(),
    types(),
    ...requestSections(comments.requests),
    ...eventSections(comments.events),
    ...recordSections(comments.records),
    errorTable(),
    closeTable(),
    limitTable(comments.limits),
  ]
  return `${sections.join('\n\n')}\n`
}

function introduction(): string {
  return `<!-- Made by \`npm run docs\` from protocol/: edit the tables there, not this page. -->

# The protocol

How a program talks to a Tertulia server over a WebSocket. The same tables for programs:
[protocol.json](protocol.json).

## Connecting

\`GET /ws\` upgrades to a WebSocket, with one of two subprotocols, which carry the same messages:

- \`${subprotocols.msgpack}\`: binary frames, msgpack; the default if no subprotocol is offered;
- \`${subprotocols.json}\`: text frames, JSON; for experiments.

The upgrade is answered at once. It is refused over HTTP only with 403 (the origin is not allowed),
429 (too many failed attempts from this address) or 503 with \`Retry-After\` (the server is full or
stopping).

A JSON Web Token identifies the user: \`sub\` is the user's id, 1 to ${limits.userIdBytes} bytes, \`name\`
and \`picture\` are shown to others. It is read from the header \`Authorization: Bearer <token>\`, in
the query \`?token=<token>\`, in a subprotocol entry \`${subprotocols.bearerPrefix}<token>\` beside one of
the above, and last in a first frame [\`authenticate\`](#authenticate). The first event of every
connection is [\`connected\`](#connected); a token that is missing after 10 s, or bad, closes with 4401.`
}

function frames(): string {
  const message = {
    messageId: 'kitchen:41',
    groupId: 'kitchen',
    seq: 41,
    senderId: 'ana',
    senderName: 'Ana',
    type: 'text',
    content: 'olá',
    createdAt: 1_767_225_600_000,
    tempId: 't1',
  }
  return `## Frames

A msgpack frame is an array: \`[code, ref, ...fields]\`. Fields stand in the order of the tables below.
Trailing optional fields may be left off; an absent one in between is nil. New fields are only ever
added at the end, and a reader ignores those it does not know, as it ignores events it does not know.
Frames from clients are plain msgpack: extension types are refused, and so are strings that are not
well-formed UTF-8 and nesting beyond 16 levels. Any encoding that msgpack allows for a value is read:
integers of every width, signed or unsigned, strings and arrays with every length header. The code
and the ref are integers, never floats; an id is a str, never a bin. Codes up to 127 take one byte,
those from 128 two: read them as an integer, not as a byte.

A frame that cannot be decoded, or a field of the wrong type, is *malformed*: ten of them in a minute
close the socket with 4400. A well-formed request whose value is refused (too long, empty, an unknown
id or event, a frame over \`maxMessageBytes\`) is answered by \`error\` and never counts; it is charged to
the rate limit like any other. Limits apply to the decoded values: JSON escapes do not count.

A JSON frame is an object: \`{"event": name, "ref": n, "data": {field: value}}\`.

\`ref\` is an unsigned 32-bit number that the client picks for each request. Every request gets exactly
one answer that carries its \`ref\`: the event its row names, or [\`error\`](#error); a post that is refused
may be answered by [\`message_error\`](#message_error), which names its \`tempId\`. Events that no request
caused carry 0.

A *durable* request is answered only after it is stored with the configured durability. A
*durable* event is part of its group's log: it has the group's next \`seq\`, all members see these events in
one order, and \`resume\` replays them.

${wireExample({ name: 'join_group', row: requests.join_group, ref: 1, fields: { groupId: 'kitchen' } })}

The answer, ${wireExample({ name: 'ok', row: events.ok, ref: 1, fields: {} })}

With two absent fields in between, ${wireExample({
    name: 'send_message',
    row: requests.send_message,
    ref: 7,
    fields: { groupId: 'kitchen', content: 'olá', tempId: 't1' },
  })}

With a record, ${wireExample({ name: 'new_message', row: events.new_message, ref: 0, fields: { message } })}`
}

function types(): string {
  return `## Types

| type | in msgpack | in JSON |
| --- | --- | --- |
| \`string\` | str, UTF-8; limits count its bytes | string |
| \`"a" \\| "b"\` | str, one of these | string |
| \`uint\` | an integer from 0 to 2^53 − 1, up to 64 bits wide, never a float from the server | number |
| \`bool\` | true or false | the same |
| \`bytes\` | bin | string, base64 |
| \`map\` | map with string keys | object |
| \`T[]\` | array of any length up to the limit | array |
| \`[A, B]\` | array of exactly these | array |
| \`Message\` and other names | a record: array of its fields in order, trailing absent ones left off | object |

Times are \`uint\`, milliseconds since 1970. A \`groupId\` is 1 to ${limits.groupIdChars} of \`A-Z a-z 0-9 _ -\`. A \`seq\` counts
from 1 in each group, grows strictly and is never used twice. A \`messageId\` is \`<groupId>:<seq>\`, a \`fileId\` \`<groupId>:f<id>\`.
Who may ask what of a group is in [PERMISSIONS.md](PERMISSIONS.md).`
}

function requestSections(comments: DocComments): string[] {
  const rows = Object.entries(requests) as [string, RequestSpec][]
  const overview = rows.map(([name, { code, answer, durable, budget, cost = 1, bytesPerToken }]) =>
    row(
      code,
      link(name),
      eventLink(answer),
      durable ? 'yes' : '',
      `${budget ?? 'events'}${cost > 1 ? `, ${cost} tokens` : ''}${bytesPerToken ? `, 1 token more each ${bytesPerToken} bytes` : ''}`,
    ),
  )
  return [
    `## Requests: client to server\n\n${table(['code', 'request', 'answer', 'durable', 'rate budget'], overview)}`,
    ...rows.map(([name, spec]) => {
      const facts = [
        `Code ${spec.code}`,
        `handled by ${routes[spec.route]}`,
        ...(spec.durable ? ['durable'] : []),
        `answered by ${eventLink(spec.answer)}`,
      ]
      return section(name, comments.get(name), `${facts.join(' · ')}.`, spec.fields)
    }),
  ]
}

function eventSections(comments: DocComments): string[] {
  const rows = Object.entries(events) as [string, EventSpec][]
  const overview = rows.map(([name, { code, durable }]) => row(code, eventLink(name), durable ? 'yes' : ''))
  return [
    `## Events: server to client\n\n${table(['code', 'event', 'durable'], overview)}`,
    ...rows.map(([name, spec]) =>
      section(name, comments.get(name), `Code ${spec.code}${spec.durable ? ' · durable' : ''}.`, spec.fields),
    ),
  ]
}

function recordSections(comments: DocComments): string[] {
  return [
    '## Records',
    ...Object.entries(records).map(([name, { fields }]) =>
      section(`Record ${name}`, comments.get(name), undefined, fields, (field) =>
        comments.get(`${name}.${field}`),
      ),
    ),
  ]
}

function section(
  title: string,
  comment: string | undefined,
  facts: string | undefined,
  fields: FieldMap,
  fieldComment: (field: string) => string | undefined = () => undefined,
): string {
  const rows = Object.entries(fields).map(([field, type]) => {
    const note = fieldComment(field)
    const takes = `${type.optional ? 'optional; ' : ''}${inWords(type)}`
    return row(code(field), code(type.type), note ? `${takes}. ${note}` : takes)
  })
  const parts = [
    `### ${title}`,
    comment,
    facts,
    rows.length > 0 ? table(['field', 'type', 'takes'], rows) : undefined,
  ]
  return parts.filter((part) => part !== undefined).join('\n\n')
}

/** What a field takes, that of its items or parts included. */
function inWords({ rule, shape }: FieldType): string {
  if (shape.kind === 'list') return `${rule}, each ${inWords(shape.item)}`
  if (shape.kind === 'tuple') return shape.items.map(inWords).join('; ')
  return shape.kind === 'record'
    ? `a [${shape.record.name}](#record-${shape.record.name.toLowerCase()})`
    : withIdsAsCode(rule)
}

/** `<groupId>:<seq>` as a code span: Markdown would take it for HTML and show only the colon. */
function withIdsAsCode(rule: string): string {
  return rule.replace(/<\w+>(?::\w?<\w+>)*/g, (id) => code(id))
}

function errorTable(): string {
  const rows = Object.entries(errors).map(([name, { meaning, retry, status }]) =>
    row(code(name), meaning, retry ? 'yes' : 'no', status),
  )
  return `## Errors

Act on the code, never on the text. *Retry* states whether the same request may succeed later without
any other change; if \`retryAfterMs\` is given, not before. *HTTP* is the status of the same error over HTTP.

${table(['code', 'meaning', 'retry', 'HTTP'], rows)}`
}

function closeTable(): string {
  const rows = Object.entries(closeCodes).map(([name, close]) =>
    row(close.code, code(name), close.meaning, close.advice),
  )
  return `## Close codes

Below 4400 a client reconnects, with a growing and random delay, and resumes. From 4400 on it does not,
until the cause is removed.

${table(['code', 'reason', 'meaning', 'what a client does'], rows)}`
}

function limitTable(comments: DocComments): string {
  const rows = Object.entries(limits).map(([name, value]) => row(code(name), value, comments.get(name) ?? ''))
  return `## Limits

Part of the contract, the same on every server. Limits that an operator can set are sent in \`connected\`.

${table(['limit', 'value', 'note'], rows)}`
}

function table(head: readonly string[], rows: readonly string[]): string {
  return [row(...head), row(...head.map(() => '---')), ...rows].join('\n')
}

function row(...cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |`
}

/** A code span; a pipe would end the cell. */
function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``
}

function link(name: string, anchor = name): string {
  return `[\`${name}\`](#${anchor})`
}

/** Events come after the requests: a heading that both have is numbered. */
function eventLink(name: string): string {
  return link(name, Object.hasOwn(requests, name) ? `${name}-1` : name)
}
