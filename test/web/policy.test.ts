/**
 * The content security policy: what a page of the server must not run is not run, and is reported.
 */
import { describe, expect, it } from 'vitest'
import { aContext, signIn } from './support/browser.ts'
import { aGroup, openGroup, request, shownIn } from './support/chat.ts'
import { aWebServer } from './support/web-server.ts'

/** Collects the reports of the page; `ran` is set by whatever runs. */
const listen = `
window.trust = window.trustedTypes?.createPolicy('tertulia', { createScript: (text) => text })
window.ran = []
window.reports = []
addEventListener('securitypolicyviolation', ({ effectiveDirective, disposition, blockedURI }) => {
  reports.push([effectiveDirective, disposition, blockedURI].join(' '))
})
`
/** Each is tried alone. `trust` passes Trusted Types, as code would that is allowed to create scripts. */
const attempts: readonly (readonly [string, string, string])[] = [
  [
    'an inline script',
    `const script = document.createElement('script')
     script.text = trust.createScript("ran.push('script')")
     document.body.append(script)`,
    'script-src-elem enforce inline',
  ],
  [
    'a script that is not marked',
    `const script = document.createElement('script')
     script.text = "ran.push('unmarked')"
     document.body.append(script)`,
    'require-trusted-types-for enforce trusted-types-sink',
  ],
  [
    'an event-handler attribute',
    `const image = document.createElement('img')
     image.setAttribute('onerror', trust.createScript("ran.push('handler')"))
     image.src = 'data:,'
     document.body.append(image)`,
    'script-src-attr enforce inline',
  ],
  [
    'a javascript: address',
    `const link = document.createElement('a')
     link.href = "javascript:ran.push('address')"
     document.body.append(link)
     link.click()`,
    'script-src-elem enforce inline',
  ],
  [
    'a text as HTML',
    `document.body.innerHTML = '<b>bold</b>'`,
    'require-trusted-types-for enforce trusted-types-sink',
  ],
  ['an inline style', `document.body.setAttribute('style', 'color: red')`, 'style-src-attr enforce inline'],
  [
    'an image of another server',
    `const image = new Image()
     image.src = 'http://127.0.0.1:9/a.png'`,
    'img-src enforce http://127.0.0.1:9/a.png',
  ],
  [
    'a request to another server',
    `fetch('http://127.0.0.1:9/').catch(() => {})`,
    'connect-src enforce http://127.0.0.1:9/',
  ],
]

describe.each(['', 'admin', 'asyncapi'])('the policy of /%s', (path) => {
  it('refuses and reports what is injected', async () => {
    const server = await aWebServer()
    const page = await (await aContext()).newPage()
    await page.goto(`${server.url}/${path}`)
    await page.locator('#app > *, h1').first().waitFor()
    await page.evaluate(listen)
    for (const [name, code, report] of attempts) {
      await page.evaluate(`try { (() => { ${code} })() } catch {}`)
      await expect.poll(() => page.evaluate('reports'), { message: name }).toContain(report)
      await page.evaluate('reports = []')
    }
    expect(await page.evaluate('ran')).toEqual([])
  })
})

describe('a message', () => {
  it('is shown as text, whatever it contains, and breaks no rule of the policy', async () => {
    const server = await aWebServer()
    const groupId = await aGroup(server, ['ana', 'bruno'], 'Kitchen')
    const hostile = [
      `<img src=x onerror="ran.push(1)">`,
      `<script>ran.push(2)</script>`,
      `[press](javascript:ran.push(3))`,
      `<svg onload=ran.push(4)>`,
    ]
    const { page, expectQuiet } = await signIn(server, 'ana')
    await page.evaluate(
      'ran = []; reports = []; addEventListener("securitypolicyviolation", () => reports.push(1))',
    )
    await openGroup(page, 'Kitchen')
    for (const content of hostile) await request(server, 'bruno', `groups/${groupId}/messages`, { content })
    await expect.poll(async () => (await shownIn(page)).map(({ text }) => text)).toEqual(hostile)
    expect(await page.evaluate('[ran, reports]')).toEqual([[], []])
    expectQuiet()
  })
})
