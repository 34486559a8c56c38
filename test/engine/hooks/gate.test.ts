import { describe, expect, it } from 'vitest'
import { Gate, type GateOptions } from '../../../engine/hooks/gate.ts'
import type { Hooks } from '../../../engine/hooks/hooks.ts'
import { decodeEvent, decodeRequest, encodeRequest } from '../../../protocol/codec.ts'
import { viewFrame } from '../../../protocol/frame-view.ts'
import type { RequestFields, RequestName } from '../../../protocol/requests.ts'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { eventually } from '../../support/conditions.ts'

/** A gate with these hooks. Requests that pass and answers are recorded as text. */
function aGate(hooks: Hooks, options: Partial<GateOptions> = {}, userName = 'Ana') {
  const clock = new ManualClock()
  const passed: string[] = []
  const answers: string[] = []
  const logged: string[] = []
  const gate = new Gate({
    hooks,
    timeoutMs: 2_000,
    after: (delayMs, then) => clock.after(delayMs, then),
    now: () => 7,
    nameOf: async (userId) => `name of ${userId}`,
    logger: { info() {}, warn() {}, error: (fields) => void logged.push(JSON.stringify(fields)) },
    forward: (session, frame) => {
      const { event, fields } = decodeRequest(frame)
      passed.push(`${session} ${event === 'send_message' ? fields.content : event}`)
    },
    answer: (session, frame) => {
      const answer = decodeEvent(frame)
      const what = answer?.event === 'message_error' ? answer.fields.error : answer?.fields
      answers.push(`${session} ${answer?.ref} ${(what as { code: string }).code}`)
    },
    ...options,
  })
  let ref = 0
  const ask = <N extends RequestName>(session: number, name: N, fields: RequestFields<N>): boolean => {
    ref += 1
    const frame = encodeRequest(name, ref, fields)
    const view = viewFrame(frame)
    if (!view) throw new Error('no head')
    const user = { userId: 'ana', name: userName, secret: 'of the hub' }
    return gate.takes(session, user, frame, view)
  }
  const post = (session: number, content: string) =>
    ask(session, 'send_message', { groupId: 'g', content, tempId: content.slice(0, 16) })
  return { gate, clock, passed, answers, logged, ask, post }
}

describe('the gate', () => {
  it('holds only requests that a hook must see, and the requests after them', async () => {
    const { ask, post, passed } = aGate({ beforeMessage: () => {} })
    expect([ask(1, 'get_history', { groupId: 'g' }), ask(1, 'ping', {})]).toEqual([false, false])
    expect([post(1, 'a'), ask(1, 'get_history', { groupId: 'g' }), ask(2, 'ping', {})]).toEqual([
      true,
      true,
      false,
    ])
    await eventually(() => expect(passed).toEqual(['1 a', '1 get_history']))
    expect(ask(1, 'ping', {})).toBe(false)
  })

  it('passes only public fields of the caller to a hook', async () => {
    const seen: unknown[] = []
    const { post, passed } = aGate({ beforeMessage: ({ user }) => void seen.push(user) })
    post(1, 'a')
    await eventually(() => expect(passed).toHaveLength(1))
    expect(seen).toEqual([{ userId: 'ana', name: 'Ana' }])
  })

  it('names the message that is edited', async () => {
    const seen: unknown[] = []
    const { ask, passed } = aGate({
      beforeMessage: ({ edit, groupId, messageId }) => void seen.push([edit, groupId, messageId]),
    })
    ask(1, 'edit_message', { messageId: 'g:4', content: 'b' })
    await eventually(() => expect(passed).toEqual(['1 edit_message']))
    expect(seen).toEqual([[true, 'g', 'g:4']])
  })

  it('refuses a message whose hook is late, and ignores the later result', async () => {
    let resolve: (change: { content: string }) => void = () => {}
    const { clock, post, passed, answers, logged } = aGate({
      beforeMessage: ({ content }) =>
        content === 'slow'
          ? new Promise((done) => {
              resolve = done
            })
          : undefined,
    })
    post(1, 'slow')
    post(1, 'next')
    await eventually(() => expect(clock.dueInMs).toEqual([2_000]))
    clock.advance(1_999)
    expect(answers).toEqual([])
    clock.advance(1)
    await eventually(() => expect([answers, passed]).toEqual([['1 1 internal'], ['1 next']]))
    resolve({ content: 'too late' })
    post(1, 'last')
    await eventually(() => expect(passed).toEqual(['1 next', '1 last']))
    expect(logged.join()).toContain('the hook beforeMessage took more than 2000 ms')
    expect(clock.dueInMs).toEqual([])
  })

  // IDN-2
  it('has a separate time limit for looking up a name', async () => {
    const found: ((name: string) => void)[] = []
    const nameOf = () => new Promise<string>((resolve) => found.push(resolve))
    const { clock, post, passed, answers, logged } = aGate(
      { beforeMessage: ({ user, content }) => ({ content: `${content} by ${user.name}` }) },
      { nameOf, timeoutMs: 20 },
      '',
    )
    post(1, 'first')
    await eventually(() => expect(clock.dueInMs).toEqual([5_000]))
    clock.advance(4_999)
    found[0]?.('Ana')
    await eventually(() => expect(passed).toEqual(['1 first by Ana']))
    post(1, 'second')
    await eventually(() => expect(clock.dueInMs).toEqual([5_000]))
    clock.advance(5_000)
    await eventually(() => expect(answers).toEqual(['1 2 internal']))
    expect(logged.join()).toContain('the look-up of a name took more than 5000 ms')
  })

  it('answers `internal`, not a client error, if the hook returns an invalid message', async () => {
    const { post, passed, answers, logged } = aGate({
      beforeMessage: ({ content }) => ({ content: content.repeat(40_000) }),
    })
    post(1, 'a')
    await eventually(() => expect(answers).toEqual(['1 1 internal']))
    expect(passed).toEqual([])
    expect(logged.join()).toContain('beforeMessage returned an invalid message: content')
  })

  it.each(['censored', '', true, false, 0])(
    'does not pass a message if the hook returns %j',
    async (result) => {
      const { post, passed, answers, logged } = aGate({ beforeMessage: () => result as never })
      post(1, 'a')
      await eventually(() => expect(answers).toEqual(['1 1 internal']))
      expect(passed).toEqual([])
      expect(logged.join()).toContain('beforeMessage must return an object with changes, or nothing')
    },
  )

  it('drops the waiting requests of a closed session, and the result of their hook', async () => {
    const seen: string[] = []
    let resolve: () => void = () => {}
    const held = new Promise<void>((done) => {
      resolve = done
    })
    const { gate, post, passed, answers } = aGate({
      beforeMessage({ content }) {
        seen.push(content)
        return held
      },
    })
    post(1, 'slow')
    post(1, 'next')
    await eventually(() => expect(seen).toEqual(['slow']))
    gate.closed(1)
    expect(gate.size).toBe(1)
    resolve()
    await eventually(() => expect(gate.size).toBe(0))
    expect([seen, passed, answers]).toEqual([['slow'], [], []])
  })

  it('holds 256 requests per session and 64 MiB in total, and refuses more as overloaded', async () => {
    const { gate, ask, post } = aGate({ beforeMessage: () => new Promise<void>(() => {}) })
    for (let i = 0; i < 257; i++) post(1, `${i}`)
    expect(() => ask(1, 'ping', {})).toThrow(expect.objectContaining({ code: 'overloaded' }))
    gate.closed(1)
    const large = 'x'.repeat(32_768)
    const fill = () => {
      for (let session = 2; ; session++) post(session, large)
    }
    expect(fill).toThrow(expect.objectContaining({ code: 'overloaded', retryAfterMs: 500 }))
    expect(gate.size * large.length).toBeLessThan(67_108_864)
    expect((gate.size + 1) * large.length).toBeGreaterThan(66_000_000)
  })

  it('waits for its hooks at the end, but not forever', async () => {
    const { gate, clock, post, passed, answers } = aGate(
      { beforeMessage: () => new Promise<void>(() => {}) },
      { timeoutMs: 60_000 },
    )
    post(1, 'slow')
    post(1, 'next')
    const closed = gate.close(2_000)
    expect(answers).toEqual(['1 2 shutting_down'])
    clock.advance(2_000)
    await closed
    clock.advance(60_000)
    await eventually(() => expect(gate.size).toBe(0))
    expect([passed, answers]).toEqual([[], ['1 2 shutting_down']])
  })
})
