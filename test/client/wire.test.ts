import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeEvent, encodeRequest } from '../../client/codec.ts'
import { pack, unpack } from '../../client/msgpack.ts'
import { isLogged } from '../../client/wire.ts'
import { clientCodec } from '../../protocol/client-codec.ts'
import { encodeEvent } from '../../protocol/codec.ts'
import { events } from '../../protocol/events.ts'
import { arbitraryEvent, arbitraryRequest, eventNames, holds, requestNames } from '../protocol/arbitrary.ts'

const byTables = clientCodec({ pack, unpack })

it.each(requestNames)('encodes %s as the table of requests does', (name) => {
  holds(
    fc.property(arbitraryRequest(name), ({ ref, fields }) => {
      expect(encodeRequest(name, ref, fields)).toEqual(byTables.encodeRequest(name, ref, fields))
    }),
    20,
  )
})

it.each(eventNames)('decodes %s as the table of events does', (name) => {
  holds(
    fc.property(arbitraryEvent(name), ({ ref, fields }) => {
      const frame = encodeEvent(name, ref, fields)
      expect(decodeEvent(frame)).toEqual(byTables.decodeEvent(frame))
    }),
    20,
  )
  expect(isLogged({ event: name } as never)).toBe('durable' in events[name])
})

it('refuses what cannot be encoded, with the field', () => {
  const refusal = (fields: unknown) => {
    try {
      return encodeRequest('send_message', 1, fields as never)
    } catch (error) {
      return error
    }
  }
  expect(refusal([])).toMatchObject({ code: 'bad_request' })
  expect(refusal({ content: '\ud800' })).toMatchObject({ code: 'bad_request', field: 'content' })
  expect(refusal({ mentions: ['\ud800'] })).toMatchObject({ code: 'bad_request', field: 'mentions' })
})

it('ignores an event that it does not know', () => {
  expect(decodeEvent(pack([250, 0, 'new']))).toBeNull()
})
