/**
 * Sample: the message that all micro benchmarks work with, 64 bytes of text in a group of ten.
 */

import type { Message } from '../../protocol/records.ts'
import type { RequestFields } from '../../protocol/requests.ts'

const GROUP_ID = 'kitchen'
const CONTENT = 'ola, who brings the bread for tonight? I have everything else :-)'.slice(0, 64)
const CREATED_AT = 1_790_000_000_000

/** The request of a client; each `number` makes another message. */
export function sampleRequest(number: number): RequestFields<'send_message'> {
  return { groupId: GROUP_ID, content: CONTENT, tempId: `t${number}` }
}

/** The message that it becomes. */
export function sampleMessage(seq: number, senderId = 'user-1'): Message {
  return {
    messageId: `${GROUP_ID}:${seq}`,
    groupId: GROUP_ID,
    seq,
    senderId,
    senderName: 'Ana Souza',
    type: 'text',
    content: CONTENT,
    createdAt: CREATED_AT,
    tempId: `t${seq}`,
  }
}

/** The stored group of the samples. */
export const sampleGroup = {
  groupId: GROUP_ID,
  kind: 'group',
  visibility: 'private',
  createdBy: 'user-0',
  createdAt: CREATED_AT,
  name: 'Kitchen',
} as const

/** The members of the group; the first created it. */
export const sampleMembers = Array.from({ length: 10 }, (_, i) => ({
  userId: `user-${i}`,
  name: `User ${i}`,
  role: i === 0 ? ('admin' as const) : ('member' as const),
  joinedSeq: 1,
  joinedAt: CREATED_AT,
  mutedUntil: 0,
  quietUntil: 0,
  picture: '',
}))

export const SAMPLE_TIME = CREATED_AT
