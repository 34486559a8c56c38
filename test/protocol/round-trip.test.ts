import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeEvent,
  decodeRequest,
  encodeEvent,
  encodeMessageSent,
  encodeRequest,
} from '../../protocol/codec.ts'
import { eventFromJson, eventToJson, requestFromJson } from '../../protocol/json-codec.ts'
import { arbitraryEvent, arbitraryRequest, eventNames, holds, requestNames } from './arbitrary.ts'

/** As a client writes bytes into JSON. */
function bytesAsBase64(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  const bytes = this[key]
  return bytes instanceof Uint8Array ? Buffer.from(bytes).toString('base64') : value
}

describe.each(requestNames)('the request %s', (name) => {
  it('is unchanged by encoding and decoding with msgpack', () => {
    holds(
      fc.property(arbitraryRequest(name), (request) => {
        expect(decodeRequest(encodeRequest(name, request.ref, request.fields))).toEqual(request)
      }),
    )
  })

  it('is the same bytes whether it was sent as msgpack or as JSON', () => {
    holds(
      fc.property(arbitraryRequest(name), ({ ref, fields }) => {
        const text = JSON.stringify({ event: name, ref, data: fields }, bytesAsBase64)
        expect(requestFromJson(text)).toEqual(encodeRequest(name, ref, fields))
      }),
    )
  })
})

describe.each(eventNames)('the event %s', (name) => {
  it('is unchanged by encoding and decoding with msgpack', () => {
    holds(
      fc.property(arbitraryEvent(name), (event) => {
        expect(decodeEvent(encodeEvent(name, event.ref, event.fields))).toEqual(event)
      }),
    )
  })

  it('is unchanged by encoding and decoding with JSON', () => {
    holds(
      fc.property(arbitraryEvent(name), (event) => {
        const text = eventToJson(encodeEvent(name, event.ref, event.fields))
        expect(JSON.parse(text)).toEqual({ event: name, ref: event.ref, data: event.fields })
        expect(eventFromJson(text)).toEqual(event)
      }),
    )
  })
})

it('encodes a message_sent with the record of the new_message', () => {
  holds(
    fc.property(arbitraryEvent('message_sent'), ({ ref, fields }) => {
      const newMessage = encodeEvent('new_message', 0, { message: fields.message })
      const sent = encodeMessageSent(newMessage, ref, fields.tempId)
      expect(Buffer.from(sent)).toEqual(
        Buffer.from(encodeEvent('message_sent', ref, { ...fields, success: true })),
      )
    }),
  )
})
