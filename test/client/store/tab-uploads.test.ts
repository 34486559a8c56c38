/** Uploads in the tabs of a browser: one tab sends, each of them shows and controls it. */
import { beforeEach, expect, it } from 'vitest'
import type { ChatStore } from '../../../client/store/chat-store.ts'
import { createMessageCache } from '../../../client/store/index.ts'
import type { UploadItem } from '../../../client/store/types.ts'
import type { TestEngineOptions } from '../../../testing/test-engine.ts'
import { Browser, type Tab } from '../../support/browser.ts'
import { eventually } from '../../support/conditions.ts'
import { useIndexedDb } from '../../support/indexed-db.ts'
import { aStoreStage, messagesOf } from './harness.ts'

const SIZE = 1_000_000

beforeEach(() => void useIndexedDb())

interface Opened {
  readonly tab: Tab
  readonly store: ChatStore
}

async function aBrowser(options: TestEngineOptions = {}) {
  const stage = await aStoreStage(options)
  const bruno = await stage.engine.connect({ userId: 'bruno', name: 'Bruno' })
  await bruno.createGroup({ kind: 'group', groupId: 'team', name: 'Team', members: ['ana'] })
  const browser = new Browser()
  const open = async (): Promise<Opened> => {
    const tab = browser.openTab()
    const channel = tab.channel('uploads')
    const cache = createMessageCache({ name: 'uploads', channel, clock: stage.clock.forClient })
    const store = stage.store('ana', { cache, tabs: { channel, locks: tab.locks } })
    store.connect()
    await stage.settle()
    store.group('team').messages.subscribe(() => {})
    return { tab, store }
  }
  return { stage, open, leading: await open(), following: await open() }
}

const uploadIn = ({ store }: Opened): UploadItem | undefined => store.uploads.getSnapshot().uploads[0]
const statesOf = (tabs: readonly Opened[]) => tabs.map((tab) => uploadIn(tab)?.state)
const messageIn = ({ store }: Opened) => messagesOf(store.group('team').messages.getSnapshot().items)[0]

/** Sends a file in the tab that follows; `then` is called when the leading one has sent a part of it. */
async function aPartlySent(then: (tabs: { leading: Opened; following: Opened; uploadId: string }) => void) {
  const browser = await aBrowser()
  const { leading, following } = browser
  const uploadId = await new Promise<string>((resolve) => {
    const stop = leading.store.uploads.subscribe(() => {
      const upload = uploadIn(leading)
      if (!upload?.sent) return
      stop()
      then({ leading, following, uploadId: upload.uploadId })
      resolve(upload.uploadId)
    })
    const file = { blob: new Blob([new Uint8Array(SIZE)]), fileName: 'data.bin' }
    following.store.group('team').send({ content: 'here', file })
  })
  return { ...browser, uploadId }
}

/** A file of which the tab that follows has paused the upload. */
async function aPausedUpload() {
  const browser = await aPartlySent(({ following, uploadId }) => following.store.pauseUpload(uploadId))
  const { leading, following } = browser
  await eventually(() => expect(statesOf([leading, following])).toEqual(['paused', 'paused']))
  return browser
}

it('are paused by another tab, and shown with what is sent, also in a tab that opens later', async () => {
  const { leading, following, open } = await aPausedUpload()
  const tabs = [leading, following, await open()]
  expect(statesOf(tabs)).toEqual(['paused', 'paused', 'paused'])
  const { sent = 0 } = uploadIn(leading) ?? {}
  expect(sent).toBeGreaterThan(0)
  expect(sent).toBeLessThan(SIZE)
  expect(tabs.map((tab) => uploadIn(tab)?.sent)).toEqual([sent, sent, sent])
})

it('are resumed by another tab, and sent once', async () => {
  const { stage, leading, following, uploadId } = await aPausedUpload()
  following.store.resumeUpload(uploadId)
  const tabs = [leading, following]
  await eventually(async () => {
    await stage.settle()
    expect(tabs.map((tab) => messageIn(tab)?.file?.size)).toEqual([SIZE, SIZE])
  })
  expect(tabs.map(uploadIn)).toEqual([undefined, undefined])
})

it('are ended by another tab', async () => {
  const { stage, leading, following, uploadId } = await aPausedUpload()
  following.store.resumeUpload(uploadId)
  following.store.abortUpload(uploadId)
  await stage.settle()
  const tabs = [leading, following]
  expect([...tabs.map(uploadIn), ...tabs.map(messageIn)]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})

it('are repeated by another tab after they were refused', async () => {
  let isAllowed = false
  const { stage, leading, following } = await aBrowser({
    hooks: { authorize: ({ request }) => request.event !== 'upload_begin' || isAllowed },
  })
  const file = { blob: new Blob(['hello']), fileName: 'data.bin' }
  leading.store.group('team').send({ content: 'here', file })
  const tabs = [leading, following]
  await eventually(() => expect(statesOf(tabs)).toEqual(['failed', 'failed']))
  expect(tabs.map((tab) => uploadIn(tab)?.failure?.code)).toEqual(['forbidden', 'forbidden'])
  isAllowed = true
  following.store.group('team').retry(messageIn(following)?.key ?? '')
  await eventually(async () => {
    await stage.settle()
    expect(tabs.map((tab) => messageIn(tab)?.state)).toEqual(['sent', 'sent'])
  })
})

it('are continued by the next tab that leads', async () => {
  const { stage, following } = await aPartlySent(({ leading }) => leading.tab.crash())
  await eventually(async () => {
    await stage.settle()
    expect(messageIn(following)).toMatchObject({ state: 'sent', file: { size: SIZE } })
  })
})

it('that were lost before they were stored are reported, and their messages stay', async () => {
  const stage = await aStoreStage()
  const bruno = await stage.engine.connect({ userId: 'bruno', name: 'Bruno' })
  await bruno.createGroup({ kind: 'group', groupId: 'team', name: 'Team', members: ['ana'] })
  const channel = new Browser().openTab().channel('uploads')
  const cache = createMessageCache({ name: 'uploads', channel, clock: stage.clock.forClient })
  // As the storage for the end of a page: it has texts only.
  const entry = { key: 'k1', groupId: 'team', order: 1, createdAt: 1, uploadId: 'u1' }
  cache.put('outbox', { ...entry, request: 'send_message', fields: { content: 'The oven', type: 'image' } })
  const store = await stage.liveStore('ana', { cache })
  await stage.settle()
  const group = store.group('team')
  group.messages.subscribe(() => {})
  const shown = () => messagesOf(group.messages.getSnapshot().items)
  const lost = { content: 'The oven', state: 'failed', failure: { code: 'bad_file' } }
  expect(shown()).toMatchObject([lost])
  group.retry('k1')
  expect(shown()).toMatchObject([lost])
  group.discard('k1')
  expect(shown()).toEqual([])
})
