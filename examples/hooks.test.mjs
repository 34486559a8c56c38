// A test of a hook: no port, no token, no waiting. Run it with `node --test`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reject } from 'tertulia'
import { collect, startTestEngine } from 'tertulia/testing'

const hooks = {
  beforeMessage({ content }) {
    if (content.includes('http://')) throw reject('links only with https, please')
  },
}

test('links are refused', async (t) => {
  const engine = await startTestEngine({ hooks })
  t.after(() => engine.close())
  const ana = await engine.connect({ userId: 'ana', name: 'Ana' })
  const bruno = await engine.connect({ userId: 'bruno' })
  const received = collect(bruno, 'new_message')
  const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })

  await assert.rejects(ana.sendMessage({ groupId, content: 'http://x.example', tempId: 't1' }), {
    code: 'rejected',
  })
  await ana.sendMessage({ groupId, content: 'olá', tempId: 't2' })
  assert.deepEqual(
    received.map(({ message }) => message.content),
    ['olá'],
  )
})

test('a client that loses its connection receives what it missed', async (t) => {
  const engine = await startTestEngine({ hooks })
  t.after(() => engine.close())
  const ana = await engine.connect({ userId: 'ana' })
  const bruno = engine.client({ userId: 'bruno' })
  const received = collect(bruno, 'new_message')
  await bruno.connect()
  const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
  engine.cut('bruno')
  await ana.sendMessage({ groupId, content: 'are you there?', tempId: 't1' })
  await engine.advance(60_000)
  assert.deepEqual(
    received.map(({ message }) => message.content),
    ['are you there?'],
  )
})
