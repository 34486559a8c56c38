/**
 * Chat: what tests do on the page, by the names that a screen reader gives to its parts, and what they read
 * from it.
 */
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { tokenOf } from '../../support/server-process.ts'

interface Address {
  readonly port: number
}

/** A request of a user over HTTP; @throws with the answer if it is refused. */
export async function request(
  { port }: Address,
  userId: string,
  path: string,
  body?: object,
): Promise<Record<string, unknown>> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/chat/${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${await tokenOf(userId)}` },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`)
  return JSON.parse(text) as Record<string, unknown>
}

/** Creates a group of users; resolves with its id. */
export async function aGroup(server: Address, [owner = '', ...others]: readonly string[], name: string) {
  // A user is known once they have connected; a group can have known users only.
  for (const userId of others) await request(server, userId, 'groups')
  const { group } = await request(server, owner, 'groups', { kind: 'group', name, members: others })
  return (group as { groupId: string }).groupId
}

/** The contents of a group's messages, as the server has stored them. */
export async function storedIn(server: Address, userId: string, groupId: string): Promise<readonly string[]> {
  const { messages } = await request(server, userId, `groups/${groupId}/messages?limit=200`)
  return (messages as { content: string }[]).map(({ content }) => content)
}

/** Opens a group by its name in the list. */
export async function openGroup(page: Page, name: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Groups' }).getByRole('link', { name }).click()
  await composerOf(page).waitFor()
}

export function composerOf(page: Page): Locator {
  return page.getByRole('textbox', { name: /^Message to / })
}

/** Writes a message and sends it by Enter. */
export async function write(page: Page, text: string): Promise<void> {
  await composerOf(page).fill(text)
  await composerOf(page).press('Enter')
}

export interface ShownMessage {
  readonly text: string
  readonly state: string
}

/** The messages in the list, from top to bottom. */
export function shownIn(page: Page): Promise<readonly ShownMessage[]> {
  return page.locator('[role=listitem][data-state]').evaluateAll((rows) =>
    rows.map((row) => ({
      text: row.querySelector('.text')?.textContent ?? '',
      state: row.getAttribute('data-state') ?? '',
    })),
  )
}

/** Waits until the list ends with these texts, in this order and each once. */
export async function expectShown(page: Page, texts: readonly string[]): Promise<void> {
  const shown = async () => (await shownIn(page)).map(({ text }) => text)
  await expect.poll(shown).toEqual(texts)
}
