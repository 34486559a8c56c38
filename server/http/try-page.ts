/**
 * The try-it page at `/`: connects over the JSON subprotocol with the token in the URL's fragment, creates
 * or joins a group, sends messages and shows every frame. One self-contained document; its policy allows
 * only its own style and script, by their hashes, and a socket to this server.
 */
import { createHash } from 'node:crypto'
import type { Route } from './router.ts'
import { tryPageScript } from './try-page-script.ts'

const style = `
:root { color-scheme: light dark; font: 16px/1.45 system-ui, sans-serif; --line: #8884; --soft: #8881; --accent: #0b7a63 }
body { margin: 0 auto; padding: 1.5rem; max-width: 60rem }
h1 { margin: 0; font-size: 1.4rem }
p { margin: .3rem 0 1rem }
form:not([hidden]) { display: flex; flex-wrap: wrap; gap: .5rem; margin: 0 0 .75rem }
input { flex: 1 1 12rem; min-width: 0; padding: .5rem .7rem; border: 1px solid var(--line); border-radius: .4rem; font: inherit; background: none; color: inherit }
button { padding: .5rem .9rem; border: 0; border-radius: .4rem; font: inherit; background: var(--accent); color: #fff; cursor: pointer }
button:disabled, input:disabled { opacity: .45; cursor: default }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1.5rem }
h2 { font-size: 1rem; margin: 0 0 .5rem }
ol { margin: 0; padding: .5rem; list-style: none; height: 24rem; overflow: auto; border: 1px solid var(--line); border-radius: .4rem; background: var(--soft) }
li { padding: .15rem .3rem; overflow-wrap: anywhere }
#frames { font: 12px/1.5 ui-monospace, monospace }
.out { color: var(--accent) }
.note { opacity: .7; font-style: italic }
b { font-weight: 600 }
`

const document = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tertulia: try it</title>
<style>${style}</style>
<h1>Tertulia</h1>
<p id="status" role="status">Connecting …</p>
<form id="tokenForm" hidden><input id="token" placeholder="Token" autocomplete="off" aria-label="Token"><button>Connect</button></form>
<form id="groupForm"><input id="group" placeholder="Group id, such as kitchen" maxlength="64" pattern="[A-Za-z0-9_\\-]+" required aria-label="Group id" value="kitchen"><button>Create or join</button></form>
<form id="messageForm"><input id="content" placeholder="Message" maxlength="8000" required aria-label="Message" autocomplete="off"><button>Send</button></form>
<main>
<section><h2>Messages</h2><ol id="messages" aria-live="polite"></ol></section>
<section><h2>Frames</h2><ol id="frames"></ol></section>
</main>
<noscript>This page needs JavaScript.</noscript>
<script>${tryPageScript}</script>
</html>
`

/** The page at `/`. */
export function tryPageRoute(): Route {
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(tryPageScript)}'`,
    `style-src '${hashOf(style)}'`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy,
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-cache',
  }
  return { method: 'GET', pattern: '/', handle: () => ({ status: 200, headers, body: document }) }
}

function hashOf(inline: string): string {
  return `sha256-${createHash('sha256').update(inline).digest('base64')}`
}
