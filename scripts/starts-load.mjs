/**
 * The load of starts-under-load.mjs: sockets of one user, each of which sends again when it was answered.
 *
 *   node scripts/starts-load.mjs PORT TOKEN SOCKETS
 */
import { WebSocket } from 'ws'

const [, , port, token, sockets] = process.argv

for (let i = 0; i < Number(sockets); i++) {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/ws`, ['tertulia.v1.json', `bearer.${token}`])
  let ref = 0
  const request = (event, data) => ws.send(JSON.stringify({ event, ref: ++ref, data }))
  ws.on('error', () => {})
  ws.on('message', (bytes) => {
    const { event, ref: answered, data } = JSON.parse(String(bytes))
    if (event === 'connected') request('create_group', { kind: 'group', groupId: `g${i}`, name: 'é, ã, ç' })
    else if (answered !== ref) return
    else if (ref % 10 === 0) request('search', { query: 'coração' })
    else if (ref % 10 === 5) request('get_history', { groupId: `g${i}`, limit: 50 })
    else
      request('send_message', {
        groupId: `g${i}`,
        content: `coração ${ref}`,
        tempId: `${i}-${ref}-${data?.seq ?? ''}`,
      })
  })
}
