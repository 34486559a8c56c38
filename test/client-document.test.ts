import { readFileSync } from 'node:fs'
import * as react from 'react'
import * as reactServer from 'react-dom/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import * as adapter from '../client/adapters/react.ts'
import { ChatClient } from '../client/index.ts'
import type { GroupHandle, MessageItem } from '../client/store/index.ts'
import * as storeModule from '../client/store/index.ts'
import { clientExample, clientExamples, runExample } from './support/client-examples.ts'
import { eventually } from './support/conditions.ts'
import { startInline, temporaryFolder } from './support/engines.ts'
import { ServerProcess, tokenOf } from './support/server-process.ts'

const modules = {
  react,
  'react-dom/server': reactServer,
  'tertulia/store': storeModule,
  'tertulia/react': adapter,
}

/** Texts that an example logs. */
function aConsole() {
  const lines: string[] = []
  return { lines, console: { log: (...parts: unknown[]) => void lines.push(parts.join(' ')) } }
}

/** Ana's and Bruno's stores, connected to a server where both are in the group `team`. */
async function aTeam() {
  const server = await ServerProcess.start(temporaryFolder())
  const url = `http://127.0.0.1:${server.port}`
  const client = new ChatClient({ url, token: await tokenOf('ana') })
  await client.connect()
  await client.createGroup({ kind: 'group', groupId: 'team', name: 'Team', members: ['bruno'] })
  client.close()
  const storeOf = async (userId: string) => {
    const store = new storeModule.ChatStore({ url, token: await tokenOf(userId) })
    onTestFinished(() => store.close())
    store.connect()
    await eventually(() => expect(store.connection.getSnapshot().state).toBe('live'))
    return store
  }
  const [ana, bruno] = [await storeOf('ana'), await storeOf('bruno')]
  return { url, ana, bruno }
}

function messagesIn(group: GroupHandle): readonly MessageItem[] {
  return group.messages.getSnapshot().items.filter((item) => item.kind === 'message')
}

/** The messages of a group, loaded until the test ends. */
function watch(group: GroupHandle): () => readonly MessageItem[] {
  onTestFinished(group.messages.subscribe(() => {}))
  return () => messagesIn(group)
}

describe('README.md', () => {
  it.each([
    ['browser', 'In a browser'],
    ['react', 'In React'],
    ['node', 'In Node'],
  ] as const)('shows the example of docs/CLIENT.md for %s', (kind, heading) => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
    expect(readme).toContain(`\`\`\`js\n// ${kind}\n${clientExample(kind, heading)}\`\`\``)
  })
})

describe('docs/CLIENT.md', () => {
  it('In Node: the bot answers', async () => {
    const { url, ana, bruno } = await aTeam()
    await bruno.close()
    const environment = { env: { CHAT_URL: url, CHAT_TOKEN: await tokenOf('bruno') } }
    const seen = watch(ana.group('team'))
    await runExample(clientExample('node', 'In Node'), { process: environment }, modules)
    ana.group('team').send({ content: 'ping' })
    await eventually(() => expect(seen().map(({ content }) => content)).toEqual(['ping', 'pong']))
    expect(seen()[1]).toMatchObject({ sender: { userId: 'bruno' }, replyToId: seen()[0]?.messageId })
  })

  it('What the user does is shown at once: sends, reacts and edits', async () => {
    const { ana, bruno } = await aTeam()
    const seen = watch(bruno.group('team'))
    await runExample(clientExample('store', 'What the user does is shown at once'), { store: ana })
    await eventually(() =>
      expect(seen()).toMatchObject([{ content: 'Bread at ten', reactions: [{ emoji: '🍞', count: 1 }] }]),
    )
  })

  it('Offline: what is written is stored and sent in order, and the window moves', async () => {
    const { ana, bruno } = await aTeam()
    const [writing, moving] = clientExamples('store').filter(([under]) => under === 'Offline')
    const seen = watch(bruno.group('team'))
    const { console, lines } = aConsole()
    const offline = { group: (id: string) => ana.group(id), groups: ana.groups, close: async () => {} }
    await runExample(writing?.[1] as string, { store: offline, console })
    expect(lines).toEqual(['2 unsent'])
    expect(ana.groups.getSnapshot().groups[0]?.draft).toBe('and butter')
    await eventually(() => expect(seen().map(({ content }) => content)).toEqual(['First', 'Second']))
    watch(ana.group('team'))
    await runExample(moving?.[1] as string, { store: ana, console })
    expect(lines.at(-1)).toBe('2 messages')
  })

  it('Files: uploads, with progress', async () => {
    const { ana, bruno } = await aTeam()
    const seen = watch(bruno.group('team'))
    const { console, lines } = aConsole()
    // A picture of one pixel.
    const png =
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
    const blob = new Blob([Buffer.from(png, 'base64')], { type: 'image/png' })
    await runExample(clientExample('store', 'Files'), { store: ana, console, blob })
    await eventually(() =>
      expect(seen()).toMatchObject([{ type: 'image', content: 'The new oven', file: {} }]),
    )
    expect(seen()[0]?.file).toMatchObject({ fileName: 'oven.png', mimeType: 'image/png' })
    expect(lines.join()).toContain('oven.png: 100 % uploading')
  })

  it('Devtools: reports what happens', async () => {
    const { ana } = await aTeam()
    const { console, lines } = aConsole()
    await runExample(clientExample('store', 'Devtools'), { store: ana, console })
    await eventually(() => expect(lines.join('\n')).toMatch(/^event new_message/m))
  })

  it('Rendered on a server: shows the snapshot', async () => {
    const engine = await startInline({ dataDir: temporaryFolder() })
    onTestFinished(() => engine.close())
    const ana = await engine.connect({ userId: 'ana', name: 'Ana' })
    await ana.createGroup({ kind: 'group', groupId: 'team', name: 'Team' })
    await ana.sendMessage({ groupId: 'team', content: 'Hello', tempId: 't1' })
    const { console, lines } = aConsole()
    await runExample(clientExample('engine', 'Rendered on a server'), { engine, console }, modules)
    expect(lines).toEqual(['<p>Hello</p>'])
  })
})
