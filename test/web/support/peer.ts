/**
 * Peer: another user of a conversation, without a browser.
 */
import { onTestFinished } from 'vitest'
import { ChatClient } from '../../../client/index.ts'
import { tokenOf } from '../../support/server-process.ts'

/** A connected client of a user; closed after the test. */
export async function aPeer({ port }: { readonly port: number }, userId: string): Promise<ChatClient> {
  const client = new ChatClient({
    url: `http://127.0.0.1:${port}`,
    token: () => tokenOf(userId),
    sendWindow: 200,
  })
  onTestFinished(() => client.close())
  await client.connect()
  return client
}

/** Fewer than a client sends without an answer. */
const BATCH = 500

/** Sends many messages; resolves when all are stored. */
export async function sendMany(
  peer: ChatClient,
  groupId: string,
  contents: readonly string[],
): Promise<void> {
  for (let from = 0; from < contents.length; from += BATCH) {
    const batch = contents.slice(from, from + BATCH)
    await Promise.all(batch.map((content) => peer.sendMessage({ groupId, type: 'text', content })))
  }
}
