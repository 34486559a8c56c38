/**
 * Screenshots: pictures of the pages for the README, in docs/screenshots/. Build first.
 *
 *   node scripts/screenshots.mjs       with Chromium at CHROMIUM, or /usr/bin/chromium
 *
 * Starts a server with a folder of its own, lets some people chat over HTTP, and opens the page as one of
 * them: light, dark, on a phone, in Portuguese. The picture of the dashboard is made by screenshot-dashboard.mjs.
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

const SECRET = 'a secret for pictures, of 32 bytes and more'
const root = fileURLToPath(new URL('..', import.meta.url))
const target = join(root, 'docs/screenshots')
const folder = mkdtempSync(join(tmpdir(), 'tertulia-pictures-'))

async function addressOf({ stdout }) {
  for await (const line of createInterface({ input: stdout })) {
    const url = /listens on (\S+)/.exec(line)?.[1]
    if (url) return url
  }
  throw new Error('the server did not start')
}

function tokenOf(userId, name, claims = {}) {
  return new SignJWT({ name, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(userId)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(SECRET))
}

const people = {
  joana: 'Joana Prata',
  rui: 'Rui Tavares',
  eva: 'Eva Lindqvist',
  ana: 'Ana Conceição',
  tomas: 'Tomás Brito',
}

/** Groups, and who says what in them: the last messages of a day. */
const talks = [
  [
    'Book club',
    ['ana', 'joana', 'eva'],
    [
      ['ana', 'Chapter 7 was long, but the end of it is *worth it*'],
      ['eva', 'Thursday at 8 as always?'],
    ],
  ],
  [
    'Platform on call',
    ['tomas', 'joana', 'rui'],
    [
      ['tomas', 'All green since 6:00'],
      ['rui', 'Thanks, taking over'],
    ],
  ],
  [
    'Kitchen renovation',
    ['rui', 'joana', 'eva', 'ana'],
    [
      ['rui', 'The tiles arrive on Thursday 🎉 I moved the electrician to *Friday morning*.'],
      [
        'rui',
        'Open questions:\n- the colour of the wall behind the stove\n- `2.40 m` or `2.60 m` of worktop',
      ],
      ['joana', 'I would go for 2.60 — we never regretted more space.'],
      ['eva', '> 2.60 m of worktop\n\nYes! And the wall in the green that @joana showed us.'],
      ['joana', 'Perfect, I order the paint tonight.'],
      ['ana', 'I can bring the ladder on Saturday 🪜'],
    ],
  ],
]

async function seed(url) {
  const tokens = Object.fromEntries(
    await Promise.all(Object.entries(people).map(async ([id, name]) => [id, await tokenOf(id, name)])),
  )
  const call = async (userId, path, body) => {
    const answer = await fetch(`${url}/api/chat/${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${tokens[userId]}` },
      body: body && JSON.stringify(body),
    })
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`)
    return await answer.json()
  }
  for (const userId of Object.keys(people)) await call(userId, 'groups')
  const direct = await call('ana', 'groups', { kind: 'direct', members: ['joana'] })
  await call('ana', `groups/${direct.group.groupId}/messages`, {
    content: 'Shall we meet at 8? I bring the drawings',
  })
  for (const [name, members, lines] of talks) {
    const { group } = await call(members[0], 'groups', { kind: 'group', name, members: members.slice(1) })
    for (const [userId, content] of lines) {
      const mentions = content.includes('@joana') ? ['joana'] : []
      const { message } = await call(userId, `groups/${group.groupId}/messages`, { content, mentions })
      if (content.includes('🎉'))
        for (const by of ['joana', 'eva'])
          await call(by, `messages/${message.messageId}/reactions`, { emoji: '👍' })
    }
  }
}

async function takePictures(url) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  })
  const desktop = { viewport: { width: 1180, height: 740 }, locale: 'en-GB' }
  const phone = {
    viewport: { width: 390, height: 760 },
    deviceScaleFactor: 1.5,
    hasTouch: true,
    isMobile: true,
    locale: 'en-GB',
  }
  const pictures = [
    ['light', { ...desktop, colorScheme: 'light' }],
    ['dark', { ...desktop, colorScheme: 'dark' }],
    ['phone', { ...phone, colorScheme: 'light' }],
    ['portuguese', { ...desktop, colorScheme: 'light', locale: 'pt-PT' }, 'members'],
  ]
  try {
    for (const [name, options, panel] of pictures) await chat(browser, url, name, options, panel)
  } finally {
    await browser.close()
  }
}

async function chat(browser, url, name, options, panel) {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  await page.goto(`${url}/#token=${await tokenOf('joana', people.joana)}`)
  await page.locator('.group-row', { hasText: 'Kitchen' }).click()
  await page.locator('[data-seq]').last().waitFor()
  if (panel) {
    await page.evaluate((more) => location.assign(`${location.hash}?panel=${more}`), panel)
    await page.locator('.region-details .avatar').first().waitFor()
  }
  // The mark of the message that was jumped to fades.
  await page.waitForTimeout(3_000)
  await page.screenshot({ path: join(target, `${name}.png`) })
  await context.close()
}

const server = spawn(process.execPath, [join(root, 'dist/server/main.js'), 'serve'], {
  env: {
    ...process.env,
    DATA_DIR: folder,
    PORT: '0',
    HOST: '127.0.0.1',
    JWT_SECRET: SECRET,
    RATE_LIMIT: '0',
  },
  stdio: ['ignore', 'pipe', 'ignore'],
})
try {
  mkdirSync(target, { recursive: true })
  const url = await addressOf(server)
  await seed(url)
  await takePictures(url)
} finally {
  const ended = once(server, 'exit')
  server.kill('SIGKILL')
  await ended
  rmSync(folder, { recursive: true, force: true })
}
