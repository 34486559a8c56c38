/**
 * What the Dart client of a phone sends and must receive, frame by frame, and what a browser's client
 * receives: data for `dart-client.test.ts`.
 */
import { generated, isoTime, type Step, someNumber, someText } from './transcript.ts'

const PHONE = 'EIO=4&transport=websocket'
const limits = {
  maxMessageBytes: 65_536,
  maxContentBytes: someNumber,
  rateLimit: 0,
  resumeEvents: 10_000,
  maxUploadBytes: someNumber,
  recallWindowMs: 300_000,
}

/** The open packet of a session. */
export const open = (upgrades: readonly string[] = []) => ({
  sid: someText,
  upgrades,
  pingInterval: 25_000,
  pingTimeout: 20_000,
  maxPayload: someNumber,
})

/** The event after CONNECT. */
export const connected = (userId: string) => [
  'connected',
  {
    message: someText,
    userId,
    timestamp: isoTime,
    sessionId: someText,
    serverVersion: someText,
    limits,
    groups: [],
  },
]

const member = (userId: string, role: string) => ({ userId, name: userId, role, joinedAt: isoTime })
const group = {
  groupId: 'kitchen',
  kind: 'group',
  visibility: 'private',
  createdBy: 'ana',
  createdAt: isoTime,
  memberCount: 2,
  lastSeq: 1,
  members: [member('ana', 'admin'), member('ben', 'member')],
}
const created = { group, groupId: 'kitchen', seq: 1, by: 'ana', at: isoTime }

function message(seq: number, fields: object) {
  const id = `kitchen:${seq}`
  const place = { id, messageId: id, groupId: 'kitchen', seq }
  const sender = { senderId: 'ana', senderName: 'ana', sender: { id: 'ana', name: 'ana' } }
  return { ...place, ...sender, createdAt: isoTime, timestamp: isoTime, ...fields }
}

/** The steps of one `upload_file`; `frames` are what the client sends. */
function upload(seq: number, ackId: number, fileName: string, frames: readonly (string | Uint8Array)[]) {
  const tempId = generated(/^sio-/)
  const fileId = generated(/^kitchen:f/)
  const file = {
    fileId,
    url: generated(/^\/api\/chat\/files\/kitchen:f/),
    fileName,
    mimeType: 'text/plain',
    size: 10,
    sha256: generated(/^[0-9a-f]{64}$/),
  }
  const posted = message(seq, { type: 'file', content: fileName, tempId, file })
  const sent = { tempId, success: true, message: posted }
  return [
    ...frames.map((frame): Step => ['ana', 'sends', frame]),
    ['ana', 'receives', '42', ['upload_progress', { uploadId: someText, received: 10, size: 10 }]],
    ['ana', 'receives', '42', ['file_uploaded', file]],
    ['ana', 'receives', '42', ['message_sent', sent]],
    ['ana', 'receives', `43${ackId}`, [{ ...sent, file }]],
    ['ben', 'receives', '42', ['new_message', { ...posted, message: posted }]],
  ] as const satisfies readonly Step[]
}

const notFound = (fields: object) => ({ error: someText, message: someText, code: 'not_found', ...fields })
const text = message(2, { type: 'text', content: 'olá', tempId: 'tmp-1' })

/** Two phones in one group; one has its token in `auth`, the other in a header, and sends a bare CONNECT. */
export const conversation = (): readonly Step[] => [
  ['ana', 'opens', PHONE],
  ['ana', 'receives', '0', open()],
  ['ana', 'sends', '40{"token":"$token"}'],
  ['ana', 'receives', '40', { sid: someText }],
  ['ana', 'receives', '42', connected('ana')],
  ['ben', 'opens', PHONE, 'bearer'],
  ['ben', 'receives', '0', open()],
  ['ben', 'sends', '40'],
  ['ben', 'receives', '40', { sid: someText }],
  ['ben', 'receives', '42', connected('ben')],

  ['ana', 'sends', '420["create_group",{"kind":"group","groupId":"kitchen","members":["ben"]}]'],
  ['ana', 'receives', '42', ['group_created', created]],
  ['ana', 'receives', '42', ['group', { group }]],
  ['ana', 'receives', '430', [{ success: true, group }]],
  ['ben', 'receives', '42', ['group_created', created]],

  [
    'ana',
    'sends',
    '42["send_message",{"groupId":"kitchen","content":"olá","type":"text","replyToId":null,"tempId":"tmp-1"}]',
  ],
  // The sender's app has shown the message already: no `new_message`.
  ['ana', 'receives', '42', ['message_sent', { tempId: 'tmp-1', success: true, message: text }]],
  ['ben', 'receives', '42', ['new_message', { ...text, message: text }]],
  ['ben', 'sends', '42["message_delivered",{"messageIds":["kitchen:2"]}]'],
  [
    'ana',
    'receives',
    '42',
    [
      'message_delivered',
      { messageId: 'kitchen:2', groupId: 'kitchen', deliveredTo: 'ben', timestamp: isoTime },
    ],
  ],
  ['ben', 'sends', '42["message_read",{"messageIds":["kitchen:2"],"groupId":"kitchen"}]'],
  [
    'ana',
    'receives',
    '42',
    ['message_read', { messageId: 'kitchen:2', groupId: 'kitchen', readBy: 'ben', timestamp: isoTime }],
  ],
  ['ben', 'sends', '42["typing_start",{"groupId":"kitchen"}]'],
  ['ana', 'receives', '42', ['user_typing', { userId: 'ben', userName: 'ben', groupId: 'kitchen' }]],

  ['ana', 'sends', '42["send_message",{"groupId":"no-such-group","content":"x","tempId":"tmp-2"}]'],
  [
    'ana',
    'receives',
    '42',
    ['message_error', notFound({ tempId: 'tmp-2', field: 'groupId', timestamp: isoTime })],
  ],

  ...upload(3, 1, 'a.txt', [
    '451-1["upload_file",{"fileName":"a.txt","file":{"_placeholder":true,"num":0},"fileSize":10,"groupId":"kitchen"}]',
    Buffer.from('hello list'),
  ]),
  ...upload(4, 2, 'b.txt', [
    '422["upload_file",{"fileName":"b.txt","file":"aGVsbG8gbGlzdA==","fileSize":10,"groupId":"kitchen"}]',
  ]),
  ...upload(5, 3, 'c.txt', [
    '423["upload_file",{"fileName":"c.txt","file":[104,101,108,108,111,32,108,105,115,116],"fileSize":10,"groupId":"kitchen"}]',
  ]),
  // The client spreads a list into arguments.
  ['ana', 'sends', '42["message_delivered","x:1","x:2"]'],
  ['ana', 'receives', '42', ['error', notFound({ field: 'groupId', event: 'message_delivered' })]],
  // Nothing else has arrived.
  ['ana', 'sends', '424["ping",null]'],
  ['ana', 'receives', '42', ['pong', { serverTime: someNumber }]],
  ['ana', 'receives', '434', [{ success: true, serverTime: someNumber }]],
  ['ben', 'sends', '420["ping"]'],
  ['ben', 'receives', '42', ['pong', { serverTime: someNumber }]],
  ['ben', 'receives', '430', [{ success: true, serverTime: someNumber }]],
]

const malformed = { message: someText, data: { code: 'unauthenticated', message: someText } }

/** A token that is none. */
export const badToken = (): readonly Step[] => [
  ['ana', 'opens', PHONE],
  ['ana', 'receives', '0', open()],
  ['ana', 'sends', '40{"token":"bad"}'],
  ['ana', 'receives', '44', malformed],
  // The transport is open for another attempt.
  ['ana', 'sends', '40{"token":"$token"}'],
  ['ana', 'receives', '40', { sid: someText }],
  ['ana', 'receives', '42', connected('ana')],
]

const hall = {
  groupId: 'hall',
  kind: 'group',
  visibility: 'private',
  createdBy: 'ana',
  createdAt: isoTime,
  memberCount: 1,
  lastSeq: 1,
  members: [member('ana', 'admin')],
}

/** `io('http://host:4040/socket.io/')`: the path becomes a namespace, also in published events. */
export const pathAsNamespace = (): readonly Step[] => [
  ['ana', 'opens', PHONE],
  ['ana', 'receives', '0', open()],
  ['ana', 'sends', '40/socket.io/,{"token":"$token"}'],
  ['ana', 'receives', '40/socket.io/,', { sid: someText }],
  ['ana', 'receives', '42/socket.io/,', connected('ana')],
  ['ana', 'sends', '42/socket.io/,0["create_group",{"kind":"group","groupId":"hall"}]'],
  [
    'ana',
    'receives',
    '42/socket.io/,',
    ['group_created', { group: hall, groupId: 'hall', seq: 1, by: 'ana', at: isoTime }],
  ],
  ['ana', 'receives', '42/socket.io/,', ['group', { group: hall }]],
  ['ana', 'receives', '43/socket.io/,0', [{ success: true, group: hall }]],
  ['ana', 'sends', '41/socket.io/,'],
]
