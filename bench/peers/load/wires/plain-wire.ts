/**
 * Plain wire: JSON texts, as the loop over the clients of `ws` receives and sends them.
 */
import type { Member } from '../member.ts'
import { after, digitsAt, unexpected, type Wire, type WireListener } from '../wire.ts'

/** Where the name of an event begins: `{"event":"`. */
const NAME = 10

export const plainWire: Wire = {
  isText: true,
  deliversOwn: true,
  acknowledges: true,
  sendsBearer: true,
  path: () => '/ws',
  opened() {},
  read(member: Member, bytes: Buffer, start: number, end: number, listener: WireListener) {
    switch (bytes[start + NAME]) {
      case 0x6e: // new_message
        return listener.delivered(member, bytes, start, end)
      case 0x61: // ack
        return listener.acknowledged(member, digitsAt(bytes, after(bytes, '"key":', start, end)))
      case 0x63: // connected
        return listener.live(member)
      default:
        throw unexpected(bytes, start, end)
    }
  },
  post: (member, content, key) =>
    Buffer.from(JSON.stringify({ event: 'send_message', key, groupId: `g${member.group}`, content })),
}
