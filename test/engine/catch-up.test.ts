import { describe, expect, it } from 'vitest'
import { eventually } from '../support/conditions.ts'
import { modes, temporaryFolder } from '../support/engines.ts'
import { collect, refusal, text } from '../support/sessions.ts'

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

describe.each(modes)('resume ($mode)', ({ start }) => {
  // CUP-1
  it('sends exactly the missed durable events, in order, of all kinds', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    for (let i = 0; i < 3; i++) await ana.sendMessage(text(groupId, `${i}`))
    await ana.addMember({ groupId, userId: 'clara' })
    await ana.sendMessage(text(groupId, 'last'))

    const bruno = await engine.connect({ userId: 'bruno' })
    const seqs: number[] = []
    bruno.on('new_message', ({ message }) => seqs.push(message.seq))
    bruno.on('user_joined_group', ({ seq }) => seqs.push(seq))
    bruno.on('group_created', ({ seq }) => seqs.push(seq))
    const resumed = await bruno.resume({
      groups: [
        [groupId, 2],
        ['not-mine', 0],
      ],
    })
    expect(resumed.groups).toEqual([[groupId, 6, true]])
    expect(seqs).toEqual(numbers(3, 6))
  })

  it('reads what is no longer in memory from the log, in pieces', async () => {
    const dataDir = temporaryFolder()
    const engine = await start({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    await Promise.all(numbers(1, 1_500).map((i) => ana.sendMessage(text(groupId, `${i}`))))
    const bruno = await engine.connect({ userId: 'bruno' })
    const received = collect(bruno, 'new_message')
    expect((await bruno.resume({ groups: [[groupId, 1]] })).groups).toEqual([[groupId, 1_501, true]])
    expect(received.map(({ message }) => message.seq)).toEqual(numbers(2, 1_501))
  })

  // CUP-1
  it('reports that too many events were missed, and sends none of them', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    for (let sent = 0; sent < 10_001; sent += 1_000) {
      const count = Math.min(1_000, 10_001 - sent)
      await Promise.all(numbers(1, count).map((i) => ana.sendMessage(text(groupId, `${i}`))))
    }
    const bruno = await engine.connect({ userId: 'bruno' })
    const received = collect(bruno, 'new_message')
    expect((await bruno.resume({ groups: [[groupId, 1]] })).groups).toEqual([[groupId, 10_002, false]])
    expect(received).toEqual([])
    expect((await bruno.resume({ groups: [[groupId, 2]] })).groups).toEqual([[groupId, 10_002, true]])
    expect(received.length).toBe(10_000)
  })

  it('runs one at a time per session', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    await Promise.all(numbers(1, 600).map((i) => ana.sendMessage(text(groupId, `${i}`))))
    const late = await engine.connect({ userId: 'ana' })
    const [first, second] = await Promise.allSettled([
      late.resume({ groups: [[groupId, 0]] }),
      late.resume({ groups: [[groupId, 0]] }),
    ])
    expect(first).toMatchObject({ status: 'fulfilled' })
    expect(second).toMatchObject({ status: 'rejected', reason: refusal('overloaded') })
  })
})

describe.each(modes)('a session that begins under traffic ($mode)', ({ start }) => {
  // ORD-1
  it('receives everything after the lastSeq of `connected`, each once and in order', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    let stopped = false
    const traffic = (async () => {
      let last = 0
      while (!stopped) {
        const sent = await Promise.all(numbers(1, 8).map((i) => ana.sendMessage(text(groupId, `${i}`))))
        last = Math.max(last, ...sent.map(({ message }) => message.seq))
      }
      return last
    })()
    const sessions = []
    for (let i = 0; i < 12; i++) {
      const session = await engine.connect({ userId: 'bruno' })
      sessions.push({
        from: session.connected.groups[0]?.lastSeq ?? 0,
        received: collect(session, 'new_message'),
      })
    }
    stopped = true
    const last = await traffic
    for (const { from, received } of sessions) {
      // If `connected` already included everything, nothing more arrives.
      await eventually(() => expect(received.at(-1)?.message.seq ?? from).toBe(last))
      expect(received.map(({ message }) => message.seq)).toEqual(numbers(from + 1, last))
    }
  })

  it('receives the events of a group that it is added to from that event on', async () => {
    const engine = await start()
    const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
    const { groupId } = await ana.createGroup({ kind: 'group' })
    await ana.sendMessage(text(groupId, 'before'))
    const seqs: number[] = []
    bruno.on('user_joined_group', ({ seq }) => seqs.push(seq))
    bruno.on('new_message', ({ message }) => seqs.push(message.seq))
    await Promise.all([
      ana.addMember({ groupId, userId: 'bruno' }),
      ...numbers(1, 20).map((i) => ana.sendMessage(text(groupId, `${i}`))),
    ])
    const { messages } = await ana.getHistory({ groupId })
    const last = messages.at(-1)?.seq ?? 0
    await eventually(() => expect(seqs.at(-1)).toBe(Math.max(last, seqs[0] ?? 0)))
    expect(seqs).toEqual(numbers(seqs[0] ?? 0, seqs.at(-1) ?? 0))
  })
})

describe.each(modes)('get_history ($mode)', ({ start }) => {
  it('pages in both directions over memory and log, each message once', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    await Promise.all(numbers(1, 700).map((i) => ana.sendMessage(text(groupId, `${i}`))))
    const all = numbers(2, 701)

    const down: number[] = []
    for (let before: number | undefined, more = true; more; ) {
      const page = await ana.getHistory({ groupId, before, limit: 90 })
      down.unshift(...page.messages.map(({ seq }) => seq))
      before = page.messages[0]?.seq
      more = page.hasMore
    }
    expect(down).toEqual(all)

    const up: number[] = []
    for (let after = 0, more = true; more; ) {
      const page = await ana.getHistory({ groupId, after, limit: 90 })
      up.push(...page.messages.map(({ seq }) => seq))
      after = page.messages.at(-1)?.seq ?? after
      more = page.hasMore
    }
    expect(up).toEqual(all)
    const between = await ana.getHistory({ groupId, after: 300, before: 310 })
    expect(between.messages.map(({ seq }) => seq)).toEqual(numbers(301, 309))
    expect(between.hasMore).toBe(false)
    expect((await ana.getHistory({ groupId })).messages.length).toBe(50)
  })
})
