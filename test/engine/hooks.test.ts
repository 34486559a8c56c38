import { describe, expect, it } from 'vitest'
import type { Engine } from '../../engine/engine.ts'
import { type Hooks, reject } from '../../engine/hooks/hooks.ts'
import type { Message } from '../../protocol/records.ts'
import { eventually } from '../support/conditions.ts'
import { loadBuilt, modes, startInline, temporaryFolder } from '../support/engines.ts'
import { collect, refusal, text } from '../support/sessions.ts'
import { blockWrites } from '../support/storage.ts'

/** A promise that a test resolves. */
function deferred() {
  let resolve: () => void = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

describe.each(modes)('hooks ($mode)', ({ mode, start }) => {
  it('beforeMessage changes what is posted, and the text of an edit', async () => {
    const engine = await start({
      hooks: { beforeMessage: ({ content }) => ({ content: content.replaceAll('darn', '****') }) },
    })
    const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
    const received = collect(bruno, 'new_message')
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    const { message } = await ana.sendMessage(text(groupId, 'darn it'))
    expect(message.content).toBe('**** it')
    await eventually(() => expect(received.map((event) => event.message.content)).toEqual(['**** it']))
    await ana.editMessage({ messageId: message.messageId, content: 'oh darn' })
    expect((await ana.getHistory({ groupId })).messages[0]?.content).toBe('oh ****')
  })

  it('beforeMessage refuses a message with its own text, and nobody sees it', async () => {
    const refuse = mode.endsWith('inline') ? reject : (await loadBuilt()).reject
    const engine = await start({
      hooks: {
        beforeMessage({ content }) {
          if (content.includes('spam')) throw refuse('no advertising here')
        },
      },
    })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    await expect(ana.sendMessage(text(groupId, 'spam'))).rejects.toMatchObject({
      ...refusal('rejected'),
      message: 'no advertising here',
    })
    await ana.sendMessage(text(groupId, 'ham'))
    expect((await ana.getHistory({ groupId })).messages.map(({ content }) => content)).toEqual(['ham'])
  })

  it('the requests of a session stay in order during a slow hook; other sessions do not wait', async () => {
    const slow = deferred()
    const engine = await start({
      hooks: {
        async beforeMessage({ content }) {
          if (content === 'first') await slow.promise
        },
      },
    })
    const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    const sent = [ana.sendMessage(text(groupId, 'first')), ana.sendMessage(text(groupId, 'second'))]
    const history = ana.getHistory({ groupId })
    await bruno.sendMessage(text(groupId, 'meanwhile'))
    slow.resolve()
    await Promise.all(sent)
    const said = (await history).messages.map(({ content }) => content)
    expect(said).toEqual(['meanwhile', 'first', 'second'])
  })

  it('a hook that throws or is late affects only its own message, and is logged', async () => {
    const logged: string[] = []
    const log = (fields: object) => void logged.push(JSON.stringify(fields))
    const engine = await start({
      hookTimeoutMs: 20,
      logger: { info() {}, warn() {}, error: log },
      hooks: {
        beforeMessage({ content }) {
          if (content === 'throw') throw new Error('of the service itself')
          return content === 'late' ? new Promise(() => {}) : undefined
        },
      },
    })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const outcome = await Promise.allSettled(
      ['throw', 'late', 'fine'].map((content) => ana.sendMessage(text(groupId, content))),
    )
    expect(outcome.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled'])
    for (const { reason } of outcome.slice(0, 2) as PromiseRejectedResult[]) {
      expect(reason).toMatchObject(refusal('internal'))
      expect(reason.message).not.toContain('service itself')
    }
    expect(logged.join()).toMatch(/of the service itself.*beforeMessage took more than 20 ms/s)
  })

  it('authorize is called for requests, but not for pings and receipts', async () => {
    const asked: string[] = []
    const hooks: Hooks = {
      authorize({ user, request }) {
        asked.push(`${user.name} ${request.event}`)
        return request.event !== 'create_group' || user.userId === 'ana'
      },
    }
    const engine = await start({ hooks })
    const [ana, eva] = [
      await engine.connect({ userId: 'ana', name: 'Ana' }),
      await engine.connect({ userId: 'eva', name: 'Eva' }),
    ]
    await ana.createGroup({ kind: 'group' })
    await expect(eva.createGroup({ kind: 'group' })).rejects.toMatchObject(refusal('forbidden'))
    await eva.ping({})
    expect(asked).toEqual(['Ana create_group', 'Eva create_group'])
  })

  it('afterMessage and userOffline receive durable messages and the offline members', async () => {
    const after: string[] = []
    const away: string[] = []
    const engine = await start({
      hooks: {
        afterMessage: ({ content }: Message) => void after.push(content),
        userOffline: ({ userId, message }) => void away.push(`${userId}: ${message.content}`),
      },
    })
    const [ana, bruno, quiet] = [
      await engine.connect({ userId: 'ana' }),
      await engine.connect({ userId: 'bruno' }),
      await engine.connect({ userId: 'quiet' }),
    ]
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno', 'clara', 'quiet'] })
    await quiet.muteGroup({ groupId })
    quiet.close()
    await ana.sendMessage(text(groupId, 'one'))
    await eventually(() => expect([after, away]).toEqual([['one'], ['clara: one']]))
    // An invisible user is not offline.
    await bruno.updateStatus({ status: 'offline' })
    const clara = await engine.connect({ userId: 'clara' })
    await clara.sendMessage(text(groupId, 'two'))
    await eventually(() => expect(after).toEqual(['one', 'two']))
    bruno.close()
    await eventually(async () => {
      await clara.sendMessage(text(groupId, 'three'))
      expect(away).toContain('bruno: three')
    })
    expect(away).not.toContain('bruno: two')
  })

  it('afterMessage receives only durable messages, once each, even if they are sent repeatedly', async () => {
    const dataDir = temporaryFolder()
    const notified: string[] = []
    const hooks: Hooks = {
      afterMessage: ({ content }: Message) => void notified.push(content),
      userOffline: ({ userId, message }) => void notified.push(`${userId}: ${message.content}`),
    }
    const engine = await start({ dataDir, hooks })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    const unblock = blockWrites(dataDir)
    const first = text(groupId, 'first')
    await expect(ana.sendMessage(first)).rejects.toMatchObject(refusal('storage_unavailable'))
    expect(notified).toEqual([])
    unblock()
    await eventually(() => ana.sendMessage(first))
    await ana.sendMessage(first)
    await engine.close()
    expect(notified).toEqual(['first', 'bruno: first'])

    const again = await start({ dataDir, hooks })
    const back = await again.connect({ userId: 'ana' })
    await back.sendMessage(first)
    await back.sendMessage(text(groupId, 'second'))
    await again.close()
    expect(notified.slice(2)).toEqual(['second', 'bruno: second'])
  })

  it('a bot may answer from within a hook', async () => {
    let engine: Engine | null = null
    const bot = { userId: 'bot' }
    engine = await start({
      hooks: {
        async afterMessage({ groupId, senderId, messageId }: Message) {
          const answer = { groupId, content: 'hello', replyToId: messageId, tempId: `re ${messageId}` }
          if (senderId !== bot.userId) await engine?.request(bot, 'send_message', answer)
        },
      },
    })
    const ana = await engine.connect({ userId: 'ana' })
    const received = collect(ana, 'new_message')
    const { groupId } = await ana.createGroup({ kind: 'group', members: [bot.userId] })
    await ana.sendMessage(text(groupId, 'hi'))
    await eventually(() => expect(received.map(({ message }) => message.content)).toEqual(['hi', 'hello']))
  })
})

describe('hooks at the end', () => {
  it('let requests that they have begun to check be posted before the engine closes', async () => {
    const slow = deferred()
    const engine = await startInline({ hooks: { beforeMessage: () => slow.promise } })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const sent = ana.sendMessage(text(groupId, 'last words'))
    const closed = engine.close()
    slow.resolve()
    expect((await sent).message.content).toBe('last words')
    await closed
  })

  it('limit the requests that wait for one session, and refuse the rest at the end', async () => {
    const slow = deferred()
    const engine = await startInline({ hooks: { beforeMessage: () => slow.promise } })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const sent = Promise.allSettled(
      Array.from({ length: 300 }, (_, i) => ana.sendMessage(text(groupId, `${i}`))),
    )
    const closed = engine.close()
    slow.resolve()
    const outcomes = (await sent).map((outcome) =>
      outcome.status === 'fulfilled' ? 'accepted' : (outcome.reason as { code: string }).code,
    )
    await closed
    const count = (what: string) => outcomes.filter((outcome) => outcome === what).length
    expect([count('accepted'), count('shutting_down'), count('overloaded')]).toEqual([1, 256, 43])
  })
})
