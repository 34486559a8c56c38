import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { ChatClient } from '../../client/chat-client.ts'
import { MAX_DELAY_MS, systemClock } from '../../client/clock.ts'
import { type ChatClientOptions, readOptions } from '../../client/options.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { aStage, inState } from './harness.ts'

const right = { url: 'http://localhost:4040', token: 'token' }

function refusalOf(options: unknown): string {
  try {
    new ChatClient(options as ChatClientOptions)
  } catch (error) {
    return String(error)
  }
  return 'accepted'
}

describe('a client’s options', () => {
  it.each([
    ['localhost:4040', 'url must start with http:, https:, ws: or wss: (got "localhost:4040")'],
    ['ftp://localhost', 'url must start with http:, https:, ws: or wss: (got "ftp://localhost")'],
    ['file:///etc/passwd', 'url must start with http:'],
    ['127.0.0.1:4040', 'url must be an absolute address such as http://host:4040 (got "127.0.0.1:4040")'],
    ['//localhost', 'url must be an absolute address'],
    ['', 'url must be an absolute address'],
    ['ws://', 'url must be an absolute address'],
    [undefined, 'url must be an absolute address'],
  ])('refuse the url %j', (url, message) => {
    expect(refusalOf({ ...right, url })).toContain(message)
  })

  it.each([
    [{ token: '' }, 'token must be'],
    [{ token: undefined }, 'token must be'],
    [{ token: 5 }, 'token must be'],
    [{ requestTimeoutMs: 0 }, 'requestTimeoutMs must be at least 1 millisecond (got 0)'],
    [{ requestTimeoutMs: Number.NaN }, 'requestTimeoutMs'],
    [{ requestTimeoutMs: '15s' }, 'requestTimeoutMs'],
    [{ silenceMs: -1 }, 'silenceMs'],
    [{ sendWindow: 0 }, 'sendWindow must be an integer from 1 to 1000 (got 0)'],
    [{ sendWindow: 1.5 }, 'sendWindow'],
    [{ sendWindow: Number.POSITIVE_INFINITY }, 'sendWindow'],
    [{ timeoutMs: 5 }, 'unknown option: timeoutMs; the options are url, token, '],
  ])('refuse %j', (wrong, message) => {
    expect(refusalOf({ ...right, ...wrong })).toContain(message)
  })

  it('are required', () => {
    expect(refusalOf(undefined)).toContain('ChatClient needs options')
  })

  it('may be undefined, for the default', () => {
    const none = {
      requestTimeoutMs: undefined,
      silenceMs: undefined,
      sendWindow: undefined,
      clock: undefined,
    }
    expect(readOptions({ ...right, ...none })).toMatchObject({
      timeoutMs: 15_000,
      silenceMs: 25_000,
      sendWindow: 1,
    })
  })

  it.each([Number.POSITIVE_INFINITY, 2 ** 31, 30 * 86_400_000])('limit %d ms to the longest timer', (ms) => {
    expect(readOptions({ ...right, requestTimeoutMs: ms, silenceMs: ms })).toMatchObject({
      timeoutMs: MAX_DELAY_MS,
      silenceMs: MAX_DELAY_MS,
    })
  })

  it('drop the fragment of the url, which a WebSocket does not accept', () => {
    expect(readOptions({ ...right, url: 'https://chat.example/#now' }).url).toBe('wss://chat.example/ws')
  })
})

describe('the system clock', () => {
  it('does not fire immediately for a delay above the longest timer', () => {
    const set = vi.spyOn(globalThis, 'setTimeout')
    onTestFinished(() => set.mockRestore())
    for (const ms of [2 ** 31, Number.POSITIVE_INFINITY]) systemClock.after(ms, () => {})()
    expect(set.mock.calls.map(([, ms]) => ms)).toEqual([MAX_DELAY_MS, MAX_DELAY_MS])
  })
})

describe('a platform’s WebSocket', () => {
  it('that reports an error and no close ends the attempt', async () => {
    class Mute extends EventTarget {
      onerror: ((event: Event) => void) | null = null
      constructor() {
        super()
        queueMicrotask(() => queueMicrotask(() => this.onerror?.(new Event('error'))))
      }
      close(): void {}
    }
    vi.stubGlobal('WebSocket', Mute)
    vi.stubGlobal('navigator', { userAgent: 'Elsewhere' })
    onTestFinished(() => void vi.unstubAllGlobals())
    const clock = new ManualClock()
    const client = new ChatClient({ ...right, clock: clock.forClient })
    onTestFinished(() => client.close())
    client.connect().catch(() => {})
    const { reason } = await inState(client, 'reconnecting')
    expect(reason).toEqual({ cause: 'network', message: 'the connection could not be established' })
  })

  it('is not used in Node', async () => {
    const used = vi.fn()
    vi.stubGlobal('WebSocket', used)
    vi.stubGlobal('navigator', { userAgent: 'Node.js/22' })
    onTestFinished(() => void vi.unstubAllGlobals())
    const { client, server } = await aStage()
    client.connect().catch(() => {})
    await (await server.accept()).greet()
    await inState(client, 'connected')
    expect(used).not.toHaveBeenCalled()
  })
})
