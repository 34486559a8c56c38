/**
 * AsyncAPI: the WebSocket protocol as a machine-readable document
 * (https://www.asyncapi.com/docs/reference/specification/v3.0.0).
 *
 * Generated from the tables of the protocol. It shows the frames of `tertulia.v1.json`; a frame of
 * `tertulia.v1.msgpack` has the same fields in the same order, after `x-tertulia-code`.
 */

import { version } from '../../engine/version.ts'
import { type EventSpec, events } from '../../protocol/events.ts'
import { draft07, type JsonSchema, objectSchemaOf, recordSchemas } from '../../protocol/json-schema.ts'
import { type RequestSpec, requests } from '../../protocol/requests.ts'
import { subprotocols } from '../../protocol/subprotocols.ts'

const requestRows = Object.entries(requests) as [string, RequestSpec][]
const eventRows = Object.entries(events) as [string, EventSpec][]

/** Builds the document. */
export function asyncApi(): JsonSchema {
  const messages = {
    ...Object.fromEntries(requestRows.map(([name, row]) => [requestKey(name), messageOf(name, row)])),
    ...Object.fromEntries(eventRows.map(([name, row]) => [eventKey(name), messageOf(name, row)])),
  }
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Tertulia',
      version,
      description:
        `One WebSocket, two subprotocols with the same messages: \`${subprotocols.json}\`, shown here, and ` +
        `\`${subprotocols.msgpack}\`, whose frames are arrays \`[x-tertulia-code, ref, ...fields]\` in the order of ` +
        'the properties of `data`. Every request gets one answer with its `ref`; events that no request caused ' +
        'have ref 0. A JWT identifies the user. Limits of texts are bytes of UTF-8.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    channels: {
      chat: {
        address: '/ws',
        messages: Object.fromEntries(
          Object.keys(messages).map((key) => [key, { $ref: `#/components/messages/${key}` }]),
        ),
        bindings: {
          ws: {
            method: 'GET',
            query: { type: 'object', properties: { token: { type: 'string', description: 'a JWT' } } },
            headers: {
              type: 'object',
              properties: {
                Authorization: { type: 'string', description: '`Bearer` and a JWT' },
                'Sec-WebSocket-Protocol': {
                  type: 'string',
                  description: `one subprotocol, optionally with \`${subprotocols.bearerPrefix}<JWT>\``,
                },
              },
            },
          },
        },
      },
    },
    operations: {
      ...Object.fromEntries(
        requestRows.map(([name, row]) => [requestKey(name), requestOperation(name, row)]),
      ),
      ...Object.fromEntries(eventRows.map(([name]) => [eventKey(name), eventOperation(name)])),
    },
    components: { messages, schemas: recordSchemas(draft07) },
  }
}

const channel = { $ref: '#/channels/chat' }
const inChannel = (key: string) => ({ $ref: `#/channels/chat/messages/${key}` })
const requestKey = (name: string) => `request.${name}`
const eventKey = (name: string) => `event.${name}`

function messageOf(name: string, { code, fields }: RequestSpec | EventSpec): JsonSchema {
  return {
    name,
    payload: {
      type: 'object',
      properties: {
        event: { type: 'string', const: name },
        ref: { type: 'integer', minimum: 0, maximum: 0xffff_ffff },
        data: objectSchemaOf(fields, draft07),
      },
      required: ['event', 'ref', 'data'],
    },
    'x-tertulia-code': code,
  }
}

function requestOperation(name: string, { answer }: RequestSpec): JsonSchema {
  const answers = [answer, 'error', ...(name === 'send_message' ? ['message_error'] : [])]
  return {
    action: 'receive',
    channel,
    messages: [inChannel(requestKey(name))],
    reply: { channel, messages: answers.map((event) => inChannel(eventKey(event))) },
  }
}

function eventOperation(name: string): JsonSchema {
  return { action: 'send', channel, messages: [inChannel(eventKey(name))] }
}
