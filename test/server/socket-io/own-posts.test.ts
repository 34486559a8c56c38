import { expect, it } from 'vitest'
import { encodeEvent } from '../../../protocol/codec.ts'
import type { Message } from '../../../protocol/records.ts'
import { aPost } from '../../support/groups.ts'
import { transports } from '../../support/transports.ts'
import { openConnected, startGateway } from './harness.ts'

// SIO-1
it.each(transports)(
  'a session that is sent its own post with what it missed gets the answer only ($name)',
  async (transport) => {
    const server = await startGateway(transport)
    const client = await openConnected(server, 'ana')
    const postOf = (tempId: string): Message => ({ ...aPost(2), groupId: 'kitchen', senderId: 'ana', tempId })
    const sendPost = (tempId: string) =>
      server.gateway.session(0).port.send(encodeEvent('new_message', 0, { message: postOf(tempId) }))
    server.gateway.onRequest = ({ port }, { event, ref }) => {
      if (event !== 'send_message') return
      sendPost('t1')
      // That of another device of the user.
      sendPost('t2')
      port.send(encodeEvent('message_sent', ref, { tempId: 't1', success: true, message: postOf('t1') }))
      sendPost('t1')
    }
    client.send('421["send_message",{"groupId":"kitchen","content":"hi","tempId":"t1"}]')
    expect(await client.next()).toMatch(/^42\["new_message",.*"tempId":"t2"/)
    expect(await client.next()).toMatch(/^42\["message_sent",/)
    expect(await client.next()).toMatch(/^431\[/)
    // After the answer it is a `resume` that sends it.
    expect(await client.next()).toMatch(/^42\["new_message",.*"tempId":"t1"/)
  },
)
