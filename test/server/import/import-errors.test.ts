import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../support/engines.ts'
import {
  AT,
  fileOf,
  historyOf,
  importProcess,
  kitchen,
  member,
  message,
  runImport,
} from './import-harness.ts'

const time =
  'must be milliseconds since 1970 or a text such as "2024-05-17T12:00:00.000Z", from 2000 until now'

/** A line after `kitchen` and Ana, and what is wrong with it. */
const errors: readonly (readonly [line: object | string, what: string])[] = [
  ['{"record":"message"', 'is not JSON: '],
  ['[1]', 'must be a JSON object'],
  ['17', 'must be a JSON object'],
  [{ groupId: 'kitchen' }, 'record must be one of user, group, member, message, read'],
  [{ record: 'toString' }, 'record must be one of'],
  [message(1, { contents: 'x' }), 'message has no field "contents"'],
  ['{"record":"read","__proto__":1}', 'read has no field "__proto__"'],
  [message(1, { createdAt: undefined }), `message.createdAt ${time}`],
  [message(1, { createdAt: Math.floor(AT / 1_000) }), `message.createdAt ${time}`],
  [message(1, { createdAt: 1.5 }), `message.createdAt ${time}`],
  [message(1, { createdAt: '17 May 2023' }), `message.createdAt ${time}`],
  [message(1, { createdAt: '2023-13-17T12:00:00Z' }), `message.createdAt ${time}`],
  [message(1, { createdAt: Date.now() + 86_400_000 }), `message.createdAt ${time}`],
  [message(1, { id: '' }), 'message.id must be 1 to 128 bytes of UTF-8'],
  [message(1, { id: undefined }), 'message.id is missing'],
  [message(1, { id: 17 }), 'message.id must be'],
  [message(1, { content: 'x'.repeat(32_769) }), 'message.content must be 1 to 32768 bytes of UTF-8'],
  [message(1, { content: ' \u200b\n' }), 'message.content must contain at least one visible character'],
  [
    '{"record":"message","groupId":"kitchen","id":"m1","senderId":"ana","createdAt":1684324800000,"content":"\\ud800"}',
    'message.content must be well-formed Unicode',
  ],
  [message(1, { senderId: '\ufeffana' }), 'message.senderId must not start with a byte order mark'],
  [message(1, { type: 'poll' }), 'message.type must be one of text'],
  [message(1, { mentions: ['ana', 7] }), 'message.mentions.1 must be'],
  [
    message(1, { reactions: [{ emoji: 'no', userIds: ['bob'] }] }),
    'message.reactions "no" is not an emoji or a name such as :wave:',
  ],
  [message(1, { reactions: [{ emoji: '👍' }] }), 'message.reactions.0.userIds is missing'],
  [message(1, { pinnedAt: 17 }), `message.pinnedAt ${time}`],
  [message(1, { groupId: 'cellar' }), 'message: there is no group cellar'],
  [member('bob', { role: 'owner' }), 'member.role must be one of admin, moderator, member'],
  [member('b'.repeat(129)), 'member.userId must be 1 to 128 bytes of UTF-8'],
  [{ ...kitchen, groupId: 'room 17' }, 'group.groupId must be 1 to 64 characters of A-Z a-z 0-9 _ -'],
  [{ ...kitchen, groupId: 'd_17' }, 'group.groupId must not begin with d_'], // IDN-3
  [{ ...kitchen, groupId: 'x', createdBy: null }, 'group.createdBy is missing'],
  [{ ...kitchen, groupId: 'x', name: 'a\u202eb' }, 'group.name must not contain control characters'], // TXT-1
  [{ ...kitchen, groupId: 'x', members: ['ana'] }, 'group.members is for direct chats'],
  [
    { ...kitchen, groupId: 'x', kind: 'direct', members: ['ana', 'ana'] },
    'group.members of a direct chat must be',
  ],
  [{ ...kitchen, kind: 'direct', members: ['ana', 'bob'] }, 'group.groupId kitchen is that of another group'],
  [{ record: 'user', userId: 'ana' }, 'user.name is missing'],
]

describe('tertulia import', () => {
  it.each(errors)(
    'refuses %j, names the line, and imports nothing of its part of the file',
    async (line, what) => {
      const dataDir = temporaryFolder()
      const { code, out, err } = await runImport(dataDir, fileOf(kitchen, member('ana'), line, message(2)))
      expect({ code, out }).toEqual({ code: 1, out: '' })
      expect(err).toContain(`\nline 3: ${what}`)
      expect(err).toContain('\nnothing is imported; fix the file and run it again')
      expect(await runImport(dataDir, fileOf(kitchen, member('ana'), message(2)))).toMatchObject({
        code: 0,
        err: '',
      })
      expect((await historyOf(dataDir, 'ana')).map(({ tempId }) => tempId)).toEqual(['m2'])
    },
  )

  it('reports the first ten errors of a part of the file', async () => {
    const wrong = Array.from({ length: 12 }, (_, i) => message(i, { type: 'poll' }))
    const { err } = await runImport(temporaryFolder(), fileOf(kitchen, ...wrong))
    expect(err.match(/line \d+: message.type/g)).toHaveLength(10)
  })

  it('imports the parts before an error, and continues there once the file is fixed', async () => {
    const dataDir = temporaryFolder()
    const many = Array.from({ length: 300 }, (_, i) => message(i, { content: 'x'.repeat(32_000) }))
    const failed = await importProcess(
      dataDir,
      fileOf(kitchen, member('ana'), ...many, message(300, { type: 'poll' })),
    )
    expect(failed.err).toMatch(/line 303: message\.type .*\nthe lines before \d{3} are imported; /)
    const fixed = await importProcess(dataDir, fileOf(kitchen, member('ana'), ...many, message(300)))
    expect(fixed.out).toMatch(
      /imported \d\d messages, 0 groups, 0 members \(2\d\d messages were imported before\)/,
    )
    expect((await historyOf(dataDir, 'ana')).map(({ tempId }) => tempId)).toEqual(
      many.map((_, i) => `m${i}`).concat('m300'),
    )
  })

  it('refuses a line that is too long in a later part of the file', async () => {
    const many = Array.from({ length: 300 }, (_, i) => message(i, { content: 'x'.repeat(32_000) }))
    const { code, err } = await importProcess(
      temporaryFolder(),
      fileOf(kitchen, member('ana'), ...many, 'x'.repeat(1_100_000)),
    )
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/\nline 303: is longer than 1 MiB\nthe lines before/),
    ])
  })

  it.each([
    ['is longer than 1 MiB', Buffer.alloc(1_100_000, 'x')],
    ['is not UTF-8', Buffer.from([0x22, 0xff, 0x22, 0x0a])],
  ])('refuses a line that %s', async (what, bytes) => {
    const { writeFileSync } = await import('node:fs')
    const file = fileOf(kitchen)
    writeFileSync(file, Buffer.concat([Buffer.from(`${JSON.stringify(kitchen)}\n`), bytes]))
    expect((await runImport(temporaryFolder(), file)).err).toContain(`line 2: ${what}`)
  })

  it('reads a byte order mark, empty lines and CRLF, and reports what looks wrong', async () => {
    const dataDir = temporaryFolder()
    const file = fileOf(
      `\ufeff${JSON.stringify(kitchen)}\r`,
      '',
      JSON.stringify(member('bob')),
      message(2),
      message(1, { replyToId: 'm7' }),
    )
    expect(await runImport(dataDir, file)).toMatchObject({
      code: 0,
      err: [
        '1 messages are older than the message before them in their group',
        '1 replies and read marks name a message that is not in the file',
        '1 groups have members, but no admin',
      ].join('\n'),
    })
  })
})
