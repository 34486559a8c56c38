import { describe, expect, it } from 'vitest'
import { ChatError } from '../../protocol/errors.ts'
import { requestMethods, type SendRequest } from '../../protocol/methods.ts'
import { requests } from '../../protocol/requests.ts'
import { requestNames } from './arbitrary.ts'

/** Answers every request with the same fields, and notes what was sent. */
function answering(answer: object) {
  const sent: unknown[] = []
  const send = (async (name: string, fields: object) => {
    sent.push([name, fields])
    return answer
  }) as unknown as SendRequest
  return { methods: requestMethods(send), sent }
}

describe('requestMethods', () => {
  it('has a camel-case method for each request except those of the connection', () => {
    const { methods } = answering({})
    const expected = requestNames
      .filter((name) => requests[name].route !== 'connection')
      .map((name) => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()))
    expect(Object.keys(methods)).toEqual(expected)
    expect(methods).toHaveProperty('sendMessage')
    expect(methods).not.toHaveProperty('authenticate')
  })

  it('sends the request with the given fields', async () => {
    const { methods, sent } = answering({})
    await methods.joinGroup({ groupId: 'kitchen' })
    expect(sent).toEqual([['join_group', { groupId: 'kitchen' }]])
  })

  it('returns the answer, the field that the row names, or nothing for an ok', async () => {
    const history = { groupId: 'g', messages: [], hasMore: false }
    expect(await answering(history).methods.getHistory({ groupId: 'g' })).toEqual(history)
    const group = { groupId: 'kitchen' }
    expect(await answering({ group }).methods.createGroup({ kind: 'group' })).toBe(group)
    expect(await answering({ result: {} }).methods.leaveGroup({ groupId: 'g' })).toBeUndefined()
  })

  it('rejects with the error of the send function', async () => {
    const refusal = new ChatError('not_a_member')
    const methods = requestMethods(() => Promise.reject(refusal))
    await expect(methods.getHistory({ groupId: 'g' })).rejects.toBe(refusal)
  })
})
