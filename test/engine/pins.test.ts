import { expect, it } from 'vitest'
import { startInline, temporaryFolder } from '../support/engines.ts'
import { text } from '../support/sessions.ts'

// PAG-1
it('pins are listed in the order in which they were pinned, also by one clock tick and after a restart', async () => {
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
