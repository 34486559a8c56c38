/**
 * Picture of the dashboard: docs/screenshots/dashboard.png. Build first.
 *
 *   node scripts/screenshot-dashboard.mjs       with Chromium at CHROMIUM, or /usr/bin/chromium
 *
 * Starts a server with a folder of its own. Some people connect and talk in a few groups for a minute and a
 * half; one of them asks for what does not exist.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { SignJWT } from 'jose'
import { chromium } from 'playwright-core'
import { WebSocket } from 'ws'

const SECRET = 'a secret for pictures, of 32 bytes and more'
const WATCH_MS = 90_000
const root = fileURLToPath(new URL('..', import.meta.url))
const target = join(root, 'docs/screenshots')
const folder = mkdtempSync(join(tmpdir(), 'tertulia-picture-'))
const PEOPLE = 30
const TURN_MS = 100
const groups = ['kitchen', 'team', 'garden', 'support', 'news']

/** Starts the traffic. Returns the function that ends it. */
async function startChatting(url) {
  const sockets = []
  for (let i = 0; i < PEOPLE; i++) {
    const protocol = i % 3 === 1 ? 'tertulia.v1.msgpack' : 'tertulia.v1.json'
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, [protocol], {
      headers: { authorization: `Bearer ${await tokenOf(`user${i}`)}` },
    })
    await once(socket, 'message')
    sockets.push(socket)
  }
  const [first] = sockets
  const send = (event, ref, data) => first.send(JSON.stringify({ event, ref, data }))
  for (const [i, groupId] of groups.entries()) {
    const members = Array.from({ length: 5 + 5 * i }, (_, at) => `user${at + 1}`)
    send('create_group', 1 + i, { kind: 'group', name: groupId, groupId, members })
  }
  let turn = 0
  const timer = setInterval(() => {
    turn++
    const count = Math.round(3 + 2 * Math.sin(turn / 40) + Math.random())
    for (let i = 0; i < count; i++) {
      const groupId = groups[Math.floor(Math.random() ** 2 * groups.length)]
      send('send_message', 10, { groupId, content: `olá ${turn}`, tempId: `${turn}-${i}` })
    }
    if (turn % 25 === 0) send('get_history', 11, { groupId: 'elsewhere' })
  }, TURN_MS)
  return () => {
    clearInterval(timer)
    for (const socket of sockets) socket.terminate()
  }
}

function tokenOf(userId, claims = {}) {
  return new SignJWT({ name: userId, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(userId)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(SECRET))
}

async function takePicture(url) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  })
  try {
    const page = await browser.newPage({
      viewport: { width: 1440, height: 960 },
      colorScheme: 'dark',
      locale: 'en-GB',
    })
    await page.goto(`${url}/admin#token=${await tokenOf('olga', { admin: true })}`)
    await page.locator('canvas').first().waitFor()
    await page.waitForTimeout(WATCH_MS)
    await page.screenshot({ path: join(target, 'dashboard.png') })
  } finally {
    await browser.close()
  }
}

async function addressOf({ stdout }) {
  for await (const line of createInterface({ input: stdout })) {
    const url = /listens on (\S+)/.exec(line)?.[1]
    if (url) return url
  }
  throw new Error('the server did not start')
}

const settings = { DATA_DIR: folder, PORT: '0', HOST: '127.0.0.1', JWT_SECRET: SECRET, RATE_LIMIT: '0' }
const server = spawn(process.execPath, [join(root, 'dist/server/main.js'), 'serve'], {
  env: { ...process.env, ...settings },
  stdio: ['ignore', 'pipe', 'ignore'],
})
try {
  mkdirSync(target, { recursive: true })
  const url = await addressOf(server)
  const stop = await startChatting(url)
  await takePicture(url)
  stop()
} finally {
  const ended = once(server, 'exit')
  server.kill('SIGKILL')
  await ended
  rmSync(folder, { recursive: true, force: true })
}
