import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { ChatClient } from '../../client/index.ts'
import { temporaryFolder } from '../support/engines.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { signIn } from './support/browser.ts'
import { aGroup, composerOf, openGroup, request, write } from './support/chat.ts'
import { aWebServer } from './support/web-server.ts'

interface StoredFile {
  readonly fileName: string
  readonly size: number
  readonly sha256: string
  readonly mimeType: string
}

/** What passes of an upload before the network stops for as long as the test needs. */
const PASSED_BYTES = 1_000_000

async function twoPeople() {
  const server = await aWebServer()
  const groupId = await aGroup(server, ['ana', 'bruno'], 'Kitchen')
  const network = await TcpProxy.start(server.port)
  const ana = await signIn(network, 'ana')
  const bruno = await signIn(server, 'bruno')
  await openGroup(ana.page, 'Kitchen')
  await openGroup(bruno.page, 'Kitchen')
  const files = async () => {
    const { messages } = await request(server, 'ana', `groups/${groupId}/messages?limit=200`)
    return (messages as { file?: StoredFile }[]).map(({ file }) => file)
  }
  return { server, network, groupId, ana, bruno, files }
}

/** Chooses a file as the button for attachments does, and sends it with a text. */
async function sendFile(page: Page, path: string, text = ''): Promise<void> {
  await page.locator('input[type=file]').setInputFiles(path)
  const dialog = page.getByRole('dialog', { name: 'Send a file' })
  await dialog.getByRole('textbox', { name: 'Add a text' }).fill(text)
  await dialog.getByRole('button', { name: 'Send', exact: true }).click()
}

function aFile(name: string, bytes: Uint8Array): string {
  const path = join(temporaryFolder(), name)
  writeFileSync(path, bytes)
  return path
}

/** A picture of 400 by 300 points. */
async function aPicture(page: Page, name: string): Promise<string> {
  const url = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 400, height: 300 })
    canvas.getContext('2d')?.fillRect(0, 0, 200, 300)
    return canvas.toDataURL('image/png')
  })
  return aFile(name, Buffer.from(url.split(',')[1] ?? '', 'base64'))
}

describe('files', () => {
  it('a picture has its place before it is loaded, and opens in the viewer', async () => {
    const { ana, bruno, files } = await twoPeople()
    await sendFile(ana.page, await aPicture(ana.page, 'first.png'), 'The oven')
    await sendFile(ana.page, await aPicture(ana.page, 'second.png'))
    await bruno.page.getByText('The oven', { exact: true }).waitFor()
    const picture = bruno.page.getByRole('button', { name: 'Open image second.png' })
    await picture.waitFor()
    expect(await picture.evaluate((box) => getComputedStyle(box).aspectRatio)).toBe('320 / 240')
    expect((await files()).map((file) => file?.fileName)).toEqual(['first.png', 'second.png'])

    await picture.click()
    const viewer = bruno.page.getByRole('dialog', { name: 'second.png' })
    const shown = viewer.getByRole('img')
    await expect.poll(() => shown.evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBe(400)
    await bruno.page.keyboard.press('+')
    await expect.poll(() => shown.evaluate((image) => image.style.transform)).toContain('scale(1.5)')
    await bruno.page.keyboard.press('ArrowLeft')
    await bruno.page.getByRole('dialog', { name: 'first.png' }).waitFor()
    await bruno.page.keyboard.press('Escape')
    expect(await bruno.page.getByRole('dialog').count()).toBe(0)
    ana.expectQuiet()
    bruno.expectQuiet()
  })

  it('of 20 MB are sent with progress, wait while offline, and arrive once with the right hash', async () => {
    const { ana, bruno, network, files } = await twoPeople()
    const bytes = randomBytes(20_000_000)
    network.holdAfter(5_000_000)
    await sendFile(ana.page, aFile('large.bin', bytes))
    const progress = ana.page.getByRole('progressbar')
    const sent = async () => Number(await progress.getAttribute('value'))
    await expect.poll(sent).toBeGreaterThan(2_000_000)
    await ana.setOffline(true)
    await ana.page.getByText(/Waiting · .* of 20 MB/).waitFor()
    const before = await sent()
    expect(before).toBeLessThan(20_000_000)
    expect(await files()).toEqual([])
    network.release()
    await ana.setOffline(false)
    await bruno.page.getByRole('link', { name: 'Download large.bin' }).waitFor({ timeout: 50_000 })
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    expect(await files()).toMatchObject([{ fileName: 'large.bin', size: 20_000_000, sha256 }])
    await expect.poll(() => progress.count()).toBe(0)
    ana.expectQuiet()
  }, 120_000)

  it('continue after a reload where they were paused', async () => {
    const { ana, network, files } = await twoPeople()
    const bytes = randomBytes(8_000_000)
    network.holdAfter(PASSED_BYTES)
    await sendFile(ana.page, aFile('large.bin', bytes))
    await ana.page.getByText(/\d.* of 8 MB/).waitFor()
    await ana.page.getByRole('button', { name: 'Pause the upload' }).click()
    network.release()
    // Large files take a moment to be stored.
    const paused = ana.page.getByText(/Paused · \d.* of 8 MB/)
    await paused.waitFor()
    const before = await paused.textContent()
    await ana.page.reload()
    await paused.waitFor()
    expect(await paused.textContent()).toBe(before)
    await ana.page.getByRole('button', { name: 'Resume the upload' }).click()
    await expect.poll(files).toMatchObject([{ sha256: createHash('sha256').update(bytes).digest('hex') }])
    ana.expectQuiet()
  })

  it('that are not stored yet are shown as such, and the browser warns before the page ends', async () => {
    const { ana, network } = await twoPeople()
    const asked: string[] = []
    ana.page.on('dialog', (dialog) => {
      asked.push(dialog.type())
      void dialog.accept()
    })
    const sendAndPause = async (name: string, text: string) => {
      await ana.page.evaluate(refuseFiles)
      network.holdAfter(PASSED_BYTES)
      await sendFile(ana.page, aFile(name, randomBytes(8_000_000)), text)
      await ana.page.getByText(/\d.* of 8 MB/).waitFor()
      await ana.page.getByRole('button', { name: 'Pause the upload' }).click()
      network.release()
      await ana.page.getByText(/Paused · Not stored on this device yet · \d.* of 8 MB/).waitFor()
    }
    await sendAndPause('sent.bin', 'The sent one')
    await ana.page.getByRole('button', { name: 'Resume the upload' }).click()
    await ana.page.getByRole('link', { name: 'Download sent.bin' }).waitFor()
    await ana.page.reload()
    await ana.page.getByRole('link', { name: 'Download sent.bin' }).waitFor()
    expect(asked).toEqual([])

    await sendAndPause('lost.bin', 'The lost one')
    await ana.page.reload()
    expect(asked).toEqual(['beforeunload'])
    const message = ana.page.getByRole('listitem').filter({ hasText: 'The lost one' })
    await message.getByText('The file was lost or changed before it was sent.').waitFor()
    ana.expectQuiet()
  })

  it('are shown and controlled in every tab', async () => {
    const { ana, bruno, network, groupId } = await twoPeople()
    const first = ana.page
    const second = await ana.openTab(`#/g/${groupId}`)
    await composerOf(second).waitFor()
    network.holdAfter(PASSED_BYTES)
    await sendFile(first, aFile('first.bin', randomBytes(20_000_000)))
    await second.getByText(/\d.* of 20 MB/).waitFor()
    await second.getByRole('button', { name: 'Pause the upload' }).click()
    network.release()
    const textIn = (page: Page) => page.getByText(/Paused · \d.* of 20 MB/).textContent()
    const text = await textIn(first)
    await expect.poll(() => textIn(second)).toBe(text)
    await first.getByRole('button', { name: 'Resume the upload' }).click()
    await bruno.page.getByRole('link', { name: 'Download first.bin' }).waitFor()

    network.holdAfter(PASSED_BYTES)
    await sendFile(second, aFile('second.bin', randomBytes(20_000_000)))
    const progress = first.getByRole('progressbar', { name: 'Upload of second.bin' })
    await expect.poll(async () => Number(await progress.getAttribute('value'))).toBeGreaterThan(0)
    await first.getByRole('button', { name: 'Pause the upload' }).click()
    await second.getByText(/Paused · /).waitFor()
    network.release()
    await second.getByRole('button', { name: 'Cancel the upload' }).click()
    for (const page of [first, second]) await expect.poll(() => page.locator('.upload').count()).toBe(0)
    ana.expectQuiet()
  })

  it('that are pasted are shown before they are sent', async () => {
    const { ana } = await twoPeople()
    await composerOf(ana.page).focus()
    await composerOf(ana.page).evaluate((area) => {
      const clipboardData = new DataTransfer()
      clipboardData.items.add(new File(['some notes'], 'notes.txt', { type: 'text/plain' }))
      area.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
    })
    const dialog = ana.page.getByRole('dialog', { name: 'Send a file' })
    await dialog.getByText('notes.txt').waitFor()
    await dialog.getByRole('button', { name: 'Remove notes.txt' }).click()
    await expect.poll(() => dialog.count()).toBe(0)
  })
})

describe('a voice message', () => {
  it('is recorded, sent, and played', async () => {
    const { ana, bruno, files } = await twoPeople()
    await ana.page.getByRole('button', { name: 'Record a voice message' }).click()
    await ana.page.locator('.recorder-time', { hasText: '0:02' }).waitFor()
    await ana.page.getByRole('button', { name: 'Send the recording' }).click()
    const play = bruno.page.getByRole('button', { name: 'Play', exact: true })
    await play.click()
    await expect
      .poll(() => bruno.page.locator('audio').evaluate((audio) => (audio as HTMLAudioElement).currentTime))
      .toBeGreaterThan(0.2)
    // The waveform is not flat any more.
    const heights = () =>
      bruno.page
        .locator('.audio rect')
        .evaluateAll((bars) => new Set(bars.map((bar) => bar.getAttribute('height'))).size)
    await expect.poll(heights).toBeGreaterThan(3)
    expect(await files()).toMatchObject([{ fileName: expect.stringMatching(/^voice-/) }])
    ana.expectQuiet()
    bruno.expectQuiet()
  })
})

describe('a call on the page', () => {
  it('rings, is answered with video, and ends', async () => {
    const iceServers = [
      { urls: 'stun:127.0.0.1:9' },
      { urls: ['turn:127.0.0.1:9?transport=tcp'], username: 'chat', credential: 'hunter2' },
    ]
    const server = await aWebServer({ ICE_SERVERS: JSON.stringify(iceServers) })
    await request(server, 'bruno', 'groups')
    const { group } = await request(server, 'ana', 'groups', { kind: 'direct', members: ['bruno'] })
    const { groupId } = group as { groupId: string }
    // PRV-2: who has not written in a direct chat cannot be called there.
    await request(server, 'bruno', `groups/${groupId}/messages`, { content: 'call me', tempId: 't1' })
    const ana = await signIn(server, 'ana')
    const bruno = await signIn(server, 'bruno')
    await openGroup(ana.page, 'bruno')
    for (const { page } of [ana, bruno]) {
      await page.evaluate(() => {
        const Peer = RTCPeerConnection
        window.RTCPeerConnection = class extends Peer {
          constructor(configuration?: RTCConfiguration) {
            super(configuration)
            Object.assign(window, { servers: configuration?.iceServers })
          }
        }
      })
    }
    await ana.page.getByRole('button', { name: 'Video call with bruno' }).click()
    await bruno.page.getByRole('button', { name: 'With video' }).click()
    const call = (page: Page) => page.locator('.call')
    await expect.poll(() => call(ana.page).getAttribute('data-state')).toBe('connected')
    await expect.poll(() => call(bruno.page).getAttribute('data-state')).toBe('connected')
    for (const { page } of [ana, bruno]) expect(await page.evaluate('servers')).toEqual(iceServers)
    const width = (page: Page) =>
      page.locator('.call-remote').evaluate((video) => (video as HTMLVideoElement).videoWidth)
    await expect.poll(() => width(ana.page)).toBeGreaterThan(0)
    await expect.poll(() => width(bruno.page)).toBeGreaterThan(0)
    await bruno.page.getByRole('button', { name: 'Mute the microphone' }).click()
    await call(ana.page).getByText('microphone off').waitFor()
    await ana.page.getByRole('button', { name: 'Hang up' }).click()
    await call(bruno.page).getByText('Call ended').waitFor()
    ana.expectQuiet()
    bruno.expectQuiet()
  })
})

describe('a notification', () => {
  it('is shown for a group that is not looked at, and disappears when it is read elsewhere', async () => {
    const server = await aWebServer()
    const groupId = await aGroup(server, ['ana', 'bruno'], 'Kitchen')
    const ana = await signIn(server, 'ana')
    const bruno = await signIn(server, 'bruno')
    await bruno.context.grantPermissions(['notifications'], { origin: server.url })
    await bruno.page.evaluate(() => navigator.serviceWorker.ready)
    await bruno.page.evaluate(() => {
      localStorage.setItem('tertulia.preferences', JSON.stringify({ notifications: true }))
    })
    await bruno.page.reload()
    await bruno.page.getByRole('link', { name: 'Kitchen' }).waitFor()
    const shown = () =>
      bruno.page.evaluate(async () => {
        const worker = await navigator.serviceWorker.ready
        return (await worker.getNotifications()).map(({ title, body, tag }) => ({ title, body, tag }))
      })
    await openGroup(ana.page, 'Kitchen')
    await write(ana.page, 'bread is ready')
    await expect.poll(shown).toEqual([{ title: 'Kitchen', body: 'ana: bread is ready', tag: groupId }])
    await expect.poll(() => bruno.page.title()).toContain('(1)')
    const { messages } = await request(server, 'bruno', `groups/${groupId}/messages`)
    const messageIds = (messages as { messageId: string }[]).map(({ messageId }) => messageId)
    const phone = new ChatClient({ url: server.url, token: bruno.token })
    await phone.connect()
    await phone.messageRead({ groupId, messageIds })
    await expect.poll(shown).toEqual([])
    phone.close()
  })
})

/** From now on the page cannot store files: the quota is reached. */
function refuseFiles(): void {
  const { put } = IDBObjectStore.prototype
  IDBObjectStore.prototype.put = function (...row) {
    if (this.name !== 'files') return put.apply(this, row)
    this.transaction.abort()
    throw new DOMException('the quota is reached', 'QuotaExceededError')
  }
}
