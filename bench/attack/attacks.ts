/**
 * Attacks: one row each. The most expensive requests of an account that stays inside its limits (INP-2).
 */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { type Attacker, repeat } from './attacker.ts'
import { GROUPS, OWN_POSTS } from './world.ts'

/** Attacks until the attacker is stopped. */
export type Attack = (attacker: Attacker) => Promise<void>

const MAX_IDS = 500
const FILE_BYTES = 8 * 1024 * 1024
const DOWNLOADS = 200
const BODY_BYTES = 40_000

const body = randomBytes(BODY_BYTES)
const ownPosts = Array.from({ length: MAX_IDS }, (_, i) => `m0:${OWN_POSTS / 2 + i}`)
const largeGroups = Array.from({ length: 5 }, (_, i) => `large${i}`)

export const attacks: Readonly<Record<string, Attack>> = {
  'receipts of 500 own posts': repeat('message_delivered', () => ({ messageIds: ownPosts })),
  'search_users by one letter': repeat('search_users', () => ({ query: 'p', limit: 100 })),
  'search by a common prefix': repeat('search', () => ({ query: 'o*', limit: 100 })),
  'status of a user in 100 shared groups': repeat('update_status', (n) => ({
    status: n % 2 === 0 ? ('busy' as const) : ('online' as const),
  })),
  'groups with 1,000 strangers': repeat('create_group', (n) => ({
    kind: 'group' as const,
    members: Array.from({ length: 999 }, (_, i) => `s${n}-${i}`),
  })),
  'resume from the beginning': repeat('resume', () => ({
    groups: ['m0', ...largeGroups].map((groupId) => [groupId, 0] as const),
  })),
  'list of all groups': repeat('get_groups', () => ({ limit: 200 })),
  'members of a large group': repeat('get_members', (n) => ({
    groupId: largeGroups[n % largeGroups.length] as string,
    limit: 500,
  })),
  'history of a long group': repeat('get_history', (n) => ({
    groupId: 'm0',
    before: OWN_POSTS - ((n * 191) % (OWN_POSTS / 2)),
    limit: 200,
  })),
  'files as one frame': repeat('upload_file', (n) => ({
    groupId: `m${n % GROUPS}`,
    fileName: 'a.png',
    fileSize: BODY_BYTES,
    mimeType: 'image/png',
    file: body,
  })),
  'connecting with 1,000 groups': (attacker) => attacker.reconnect(8),
  'downloads that do not read': async (attacker) => {
    const path = '/api/chat/files?groupId=m0&fileName=f.bin'
    const answer = await text(await attacker.http('POST', path, randomBytes(FILE_BYTES)))
    const { fileId } = JSON.parse(answer) as { readonly fileId?: string }
    if (fileId === undefined) throw new Error(`the upload was refused: ${answer}`)
    const open: IncomingMessage[] = []
    for (let i = 0; i < DOWNLOADS && !attacker.stopped; i++) {
      const response = await attacker.http('GET', `/api/chat/files/${fileId}`)
      if (response.statusCode === 200) attacker.answered += 1
      else attacker.refused += 1
      open.push(response.on('error', () => {}))
    }
    while (!attacker.stopped) await delay(50)
    for (const response of open) response.destroy()
  },
}

async function text(response: IncomingMessage): Promise<string> {
  let all = ''
  for await (const chunk of response.setEncoding('utf8')) all += chunk
  return all
}
