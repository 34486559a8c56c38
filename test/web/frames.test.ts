/**
 * Frames: scrolling and jumping in a long chat. Every jump ends at its message, and no message is in the document
 * twice. The times of the frames, from their start to their paint, are printed: they depend on the machine.
 *
 * `MESSAGES=100000 JUMPS=1000 npm run test:web -- frames` measures the long chat.
 */
import { expect, it } from 'vitest'
import { signIn } from './support/browser.ts'
import { aGroup, openGroup } from './support/chat.ts'
import { aPeer, sendMany } from './support/peer.ts'
import { aWebServer } from './support/web-server.ts'

const MESSAGES = Number(process.env['MESSAGES'] ?? 2_000)
const JUMPS = Number(process.env['JUMPS'] ?? 15)
/** At most this much for each jump and its scrolling, on a busy machine. */
const JUMP_MS = 4_000
const SEND_MS = 5

it(
  `ends each of ${JUMPS} jumps at its message, in ${MESSAGES} messages`,
  async () => {
    const server = await aWebServer({ RATE_LIMIT: '0' })
    const groupId = await aGroup(server, ['ana', 'bruno'], 'Kitchen')
    const bruno = await aPeer(server, 'bruno')
    await sendMany(
      bruno,
      groupId,
      Array.from({ length: MESSAGES }, (_, i) => `${i + 1}: ${'word '.repeat(1 + ((i * 7) % 60))}`),
    )
    const { page, expectQuiet } = await signIn(server, 'ana', { viewport: { width: 1280, height: 800 } })
    await openGroup(page, 'Kitchen')
    await page.locator('[data-state]').first().waitFor()
    const measured = await page.evaluate(
      async ({ group, messages, jumps }) => {
        let seed = 7
        const random = () => {
          seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
          return seed / 0x7fffffff
        }
        const scroller = document.querySelector('.list-scroller') as HTMLElement
        /** The time of one frame: what runs before its paint, and the paint. */
        const frame = () =>
          new Promise<number>((resolve) => {
            requestAnimationFrame(() => {
              const startMs = performance.now()
              const channel = new MessageChannel()
              channel.port1.onmessage = () => resolve(performance.now() - startMs)
              channel.port2.postMessage(null)
            })
          })
        const scrolling: number[] = []
        const jumping: number[] = []
        const scroll = async (pixels: number) => {
          scroller.scrollTop += pixels
          scrolling.push(await frame())
        }
        const hasTwins = () => {
          const keys = [...document.querySelectorAll('[data-seq]')].map((row) => row.getAttribute('data-seq'))
          return new Set(keys).size < keys.length
        }
        const isVisible = (seq: number) => {
          const box = document.querySelector(`[data-seq="${seq}"]`)?.getBoundingClientRect()
          return box !== undefined && box.top > 0 && box.bottom < innerHeight
        }
        const faults: string[] = []
        for (let i = 0; i < 100; i++) await scroll(-200 * random())
        for (let i = 0; i < jumps; i++) {
          // The first seqs are those of the group's creation.
          const seq = 5 + Math.floor(random() * (messages - 5))
          location.hash = `#/g/${group}?seq=${seq}`
          for (let frames = 0; !isVisible(seq); frames++) {
            jumping.push(await frame())
            if (frames === 600) {
              faults.push(`${seq} is not visible`)
              break
            }
          }
          if (hasTwins()) faults.push(`twins at ${seq}`)
          for (let k = 0; k < 10; k++) await scroll((random() - 0.5) * 600)
        }
        const percentiles = (times: number[]) => {
          times.sort((a, b) => a - b)
          return [0.5, 0.95, 0.99].map((part) => Number(times[Math.floor(times.length * part)]?.toFixed(1)))
        }
        return { faults, scrolling: percentiles(scrolling), jumping: percentiles(jumping) }
      },
      { group: groupId, messages: MESSAGES, jumps: JUMPS },
    )
    const { faults, scrolling, jumping } = measured
    process.stdout.write(`frames p50, p95, p99 in ms: scrolling ${scrolling}, jumping ${jumping}\n`)
    expect(faults).toEqual([])
    expectQuiet()
  },
  180_000 + MESSAGES * SEND_MS + JUMPS * JUMP_MS,
)
