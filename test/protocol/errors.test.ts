import { describe, expect, it } from 'vitest'
import { closeCodes, mayReconnect } from '../../protocol/close-codes.ts'
import { ChatError, type ErrorCode, errors } from '../../protocol/errors.ts'

const codes = Object.keys(errors) as ErrorCode[]

describe('a ChatError', () => {
  it('has the meaning of its code as the default text', () => {
    for (const code of codes) expect(new ChatError(code).message).toBe(errors[code].meaning)
    expect(new ChatError('not_found', 'no such group').message).toBe('no such group')
  })

  it('is the same after conversion to the fields of an error event and back', () => {
    for (const code of codes) {
      const error = new ChatError(code, 'why', { field: 'groupId', retryAfterMs: 50 })
      const again = ChatError.fromFields(error.toFields())
      expect(again).toMatchObject({ code, message: 'why', field: 'groupId', retryAfterMs: 50 })
    }
  })

  it('with a code of a newer server becomes internal, with its text', () => {
    for (const code of ['from_the_future', 'constructor', 'toString', '__proto__', '']) {
      expect(ChatError.fromFields({ code, message: 'new' })).toMatchObject({
        code: 'internal',
        message: 'new',
      })
    }
  })
})

describe('ChatError.from', () => {
  it('returns a ChatError unchanged', () => {
    const error = new ChatError('overloaded', undefined, { retryAfterMs: 50 })
    expect(ChatError.from(error)).toBe(error)
  })

  it('contains nothing of any other exception', () => {
    for (const error of [new TypeError('SQLITE_FULL: /var/data'), 'secret', null, { code: 'not_found' }]) {
      const shown = ChatError.from(error)
      expect(shown.toFields()).toEqual({ code: 'internal', message: errors.internal.meaning })
    }
  })
})

describe('the table of errors', () => {
  it('gives every code an HTTP status of an error', () => {
    for (const { status } of Object.values(errors))
      expect(status).toSatisfy((s: number) => s >= 400 && s < 600)
  })

  it('marks for retry the failures of the server and the rate limit', () => {
    for (const [code, { status, retry }] of Object.entries(errors)) {
      expect([code, retry]).toEqual([code, status >= 500 || status === 429])
    }
  })
})

describe('after a close', () => {
  it('a client reconnects for 1001, 4000 to 4399 and codes of the network', () => {
    for (const code of [1001, 1005, 1006, 1011, 1012, 4000, 4008, 4029, 4399]) {
      expect([code, mayReconnect(code)]).toEqual([code, true])
    }
  })

  it('a client does not reconnect from 4400 on', () => {
    for (const code of [4400, 4401, 4409, 4499, 4500, 4999]) {
      expect([code, mayReconnect(code)]).toEqual([code, false])
    }
  })

  it('the table has the code of a frame over the hard limit, after which a client reconnects', () => {
    expect(closeCodes.too_big).toMatchObject({ code: 1009, reconnect: true })
  })

  it('the table says the same as the rule', () => {
    for (const { code, reconnect } of Object.values(closeCodes)) {
      expect([code, mayReconnect(code)]).toEqual([code, reconnect])
    }
    const all = Object.values(closeCodes).map(({ code }) => code)
    expect(new Set(all).size).toBe(all.length)
  })
})
