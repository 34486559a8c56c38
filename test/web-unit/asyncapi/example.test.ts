import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { asyncApi } from '../../../server/http/asyncapi.ts'
import { type AsyncApiDocument, messagesOf } from '../../../web/asyncapi/document.ts'
import { exampleFrame } from '../../../web/asyncapi/example.ts'

const document = asyncApi() as unknown as AsyncApiDocument
const messages = messagesOf(document)
const ajv = new Ajv({ strict: false, allErrors: true })
ajv.addSchema({ ...document, $id: 'asyncapi' })

describe('the page of the socket API', () => {
  it('lists what answers each request', () => {
    const send = messages.find(({ id }) => id === 'request.send_message')
    expect(send?.answers).toEqual(['event.message_sent', 'event.error', 'event.message_error'])
    expect(messages.find(({ id }) => id === 'event.message_sent')?.answersTo).toEqual([
      'request.send_message',
    ])
  })

  it.each(messages)('has an example of $id that its schema allows', ({ id, name, kind, data }) => {
    const example = JSON.parse(exampleFrame(name, kind, data, document.components.schemas))
    const isValid = ajv.validate({ $ref: `asyncapi#/components/messages/${id}/payload` }, example)
    expect([isValid, ajv.errorsText(), example]).toEqual([true, 'No errors', example])
  })
})
