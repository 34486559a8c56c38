/**
 * API documents: `/openapi.json`, `/asyncapi.json`, and `/swagger`, a page to browse and try the HTTP API.
 *
 * The page is Swagger UI (https://github.com/swagger-api/swagger-ui). The build copies its files next to
 * this module, so the page loads nothing from other hosts; its policy forbids it.
 */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { brotliDecompress } from 'node:zlib'
import { ChatError } from '../../protocol/errors.ts'
import { asyncApi } from './asyncapi.ts'
import { openApi } from './openapi.ts'
import type { HttpReply } from './reply.ts'
import type { Route } from './router.ts'

const folder = new URL('./swagger-ui/', import.meta.url)
const themeFile = new URL('./swagger-theme.css', import.meta.url)

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>HTTP API · Tertulia</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/swagger/swagger-ui.css">
<link rel="stylesheet" href="/swagger/theme.css">
<header class="site-header">
<strong>Tertulia</strong>
<nav aria-label="Pages"><a href=".">Chat</a> <a href="admin">Dashboard</a> <a aria-current="page">HTTP API</a> <a href="asyncapi">Socket API</a></nav>
</header>
<div id="swagger"></div>
<noscript>This page needs JavaScript; /openapi.json does not.</noscript>
<script src="/swagger/swagger-ui-bundle.js"></script>
<script src="/swagger/start.js"></script>
</html>
`

/** The appearance is the one that the user chose in the other pages. */
const start = `let theme = 'auto'
try {
  theme = JSON.parse(localStorage.getItem('tertulia.preferences') ?? '{}').theme ?? 'auto'
} catch {}
if (theme !== 'auto') document.documentElement.dataset.theme = theme
// Swagger UI leaves these without a name for screen readers.
function nameParts() {
  document.querySelector('#servers')?.setAttribute('aria-label', 'Server')
  for (const [selector, name] of [['.information-container', 'About'], ['.schemes-server-container', 'Servers']]) {
    const part = document.querySelector(selector)
    part?.setAttribute('role', 'region')
    part?.setAttribute('aria-label', name)
  }
}
SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#swagger',
  deepLinking: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
  onComplete: nameParts,
})
`

/** Swagger UI sets inline styles and uses data: images. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const openApiText = JSON.stringify(openApi())
const asyncApiText = JSON.stringify(asyncApi())

/** The routes. They require no token, because the documents contain nothing secret. */
export function documentRoutes(): readonly Route[] {
  const get = (pattern: string, handle: Route['handle']): Route => ({ method: 'GET', pattern, handle })
  return [
    get('/openapi.json', () => text('application/json', openApiText)),
    get('/asyncapi.json', () => text('application/json', asyncApiText)),
    get('/swagger', () => {
      const headers = { 'Content-Security-Policy': policy, 'Referrer-Policy': 'no-referrer' }
      return text('text/html; charset=utf-8', page, headers)
    }),
    get('/swagger/start.js', () => text('text/javascript', start)),
    get('/swagger/theme.css', () => text('text/css', readFileSync(themeFile, 'utf8'))),
    get('/swagger/swagger-ui.css', () => asset('swagger-ui.css', 'text/css')),
    get('/swagger/swagger-ui-bundle.js', () => asset('swagger-ui-bundle.js', 'text/javascript')),
  ]
}

function text(type: string, body: string, headers: Readonly<Record<string, string>> = {}): HttpReply {
  return { status: 200, headers: { 'Content-Type': type, 'Cache-Control': 'no-cache', ...headers }, body }
}

async function asset(name: string, type: string): Promise<HttpReply> {
  try {
    const compressed = await readFile(new URL(`${name}.br`, folder))
    const content = await promisify(brotliDecompress)(compressed)
    return text(type, content.toString(), { 'Cache-Control': 'max-age=86400' })
  } catch {
    throw new ChatError('not_found', 'Swagger UI is only part of the built server')
  }
}
