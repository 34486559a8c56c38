/**
 * Bare wire: the fewest bytes that a server must look at. The member makes the whole record; the server
 * publishes it unread and answers with the key.
 *
 * A post is `1, key (2 bytes), length of the group's id, the id, the record`. The server sends `2, record`,
 * `3, key`, and `4` after the connection. The record has the fields of Tertulia's, so that a delivery has
 * about as many bytes.
 */
import { unexpected, type Wire } from '../wire.ts'

export const bareWire: Wire = {
  isText: false,
  deliversOwn: true,
  acknowledges: true,
  sendsBearer: true,
  path: () => '/ws',
  opened() {},
  read(member, bytes, start, end, listener) {
    switch (bytes[start]) {
      case 2:
        return listener.delivered(member, bytes, start, end)
      case 3:
        return listener.acknowledged(member, bytes.readUInt16BE(start + 1))
      case 4:
        return listener.live(member)
      default:
        throw unexpected(bytes, start, end)
    }
  },
  post(member, content, key) {
    const [group, user] = [`g${member.group}`, `u${member.index}`]
    const record = [
      `${group}:20000`,
      group,
      20_000,
      user,
      user,
      'text',
      content,
      1_767_225_600_000,
      `t${key}`,
    ]
    return Buffer.concat([
      Buffer.of(1, key >> 8, key & 0xff, group.length),
      Buffer.from(`${group}${record.join(' ')}`),
    ])
  },
}
