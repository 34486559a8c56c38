import { expect, it } from 'vitest'
import { startInline, temporaryFolder } from '../support/engines.ts'
import { refusal, text } from '../support/sessions.ts'

// PAG-1
it('pins are listed in the order in which they were pinned, also within one clock tick and after a restart', async () => {
  const dataDir = temporaryFolder()
  const order = [3, 0, 4, 1, 2]
  const engine = await startInline({ dataDir, now: () => 1_700_000_000_000 })
  const ana = await engine.connect({ userId: 'ana' })
  const { groupId } = await ana.createGroup({ kind: 'group' })
  const ids: string[] = []
  for (const n of [0, 1, 2, 3, 4]) ids.push((await ana.sendMessage(text(groupId, `${n}`))).message.messageId)
  for (const n of order) await ana.pinMessage({ messageId: ids[n] as string })
  await ana.unpinMessage({ messageId: ids[0] as string })
  await ana.pinMessage({ messageId: ids[0] as string })
  const right = ['0', '2', '1', '4', '3']
  const pins = async (session: typeof ana) =>
    (await session.getPins({ groupId })).messages.map(({ content }) => content)
  expect(await pins(ana)).toEqual(right)
  await engine.close()
  const again = await startInline({ dataDir })
  expect(await pins(await again.connect({ userId: 'ana' }))).toEqual(right)
})

// PAG-1
it('pins that remain are listed once, whatever is pinned and unpinned between two pages', async () => {
  const engine = await startInline({ now: () => 1_700_000_000_000 })
  const ana = await engine.connect({ userId: 'ana' })
  const { groupId } = await ana.createGroup({ kind: 'group' })
  const ids: string[] = []
  for (let n = 0; n < 7; n++) ids.push((await ana.sendMessage(text(groupId, `${n}`))).message.messageId)
  for (const messageId of ids.slice(0, 6)) await ana.pinMessage({ messageId })
  const page = async (cursor?: string) => {
    const { messages, cursor: next } = await ana.getPins({ groupId, limit: 2, cursor })
    return { listed: messages.map(({ content }) => content), next }
  }
  const first = await page()
  // The last listed pin is unpinned and pinned again, and another pin is added.
  await ana.unpinMessage({ messageId: ids[4] as string })
  await ana.unpinMessage({ messageId: ids[5] as string })
  await ana.pinMessage({ messageId: ids[4] as string })
  await ana.pinMessage({ messageId: ids[6] as string })
  const second = await page(first.next)
  await ana.unpinMessage({ messageId: ids[2] as string })
  const third = await page(second.next)
  expect([first.listed, second.listed, third.listed]).toEqual([
    ['5', '4'],
    ['3', '2'],
    ['1', '0'],
  ])
  expect(third.next).toBeUndefined()
  // The pins of the next page are unpinned: the page is empty and the last one.
  const again = await page(second.next)
  for (const n of [0, 1]) await ana.unpinMessage({ messageId: ids[n] as string })
  expect(again.listed).toEqual(['1', '0'])
  expect(await page(second.next)).toEqual({ listed: [], next: undefined })
  for (const cursor of ['x', '1:2', '-1']) {
    await expect(ana.getPins({ groupId, cursor })).rejects.toMatchObject(refusal('bad_request', 'cursor'))
  }
})
