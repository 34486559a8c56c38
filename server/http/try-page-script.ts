/**
 * The script of the try-it page, as text: it runs in the browser and is not compiled. Plain JavaScript for
 * current browsers; it builds the page with text nodes only.
 */
export const tryPageScript = `
'use strict'
const $ = (id) => document.getElementById(id)
const MAX_LINES = 500
const answers = new Map()
let socket = null
let nextRef = 1
let groupId = ''
let me = ''

function line(list, className, ...parts) {
  const item = document.createElement('li')
  item.className = className
  item.append(...parts)
  const stays = list.scrollTop + list.clientHeight > list.scrollHeight - 40
  list.append(item)
  while (list.children.length > MAX_LINES) list.firstChild.remove()
  if (stays) list.scrollTop = list.scrollHeight
}

function bold(text) {
  const element = document.createElement('b')
  element.textContent = text
  return element
}

function say(text) {
  $('status').textContent = text
}

function enable() {
  const up = socket !== null && me !== ''
  for (const element of $('groupForm').elements) element.disabled = !up
  for (const element of $('messageForm').elements) element.disabled = !up || groupId === ''
}

function request(event, data) {
  const ref = nextRef++
  const frame = JSON.stringify({ event, ref, data })
  socket.send(frame)
  line($('frames'), 'out', '→ ' + frame)
  return new Promise((resolve) => answers.set(ref, resolve))
}

function connect(token) {
  if (socket) socket.close()
  const scheme = location.protocol === 'https:' ? 'wss://' : 'ws://'
  const own = new WebSocket(scheme + location.host + '/ws', ['tertulia.v1.json', 'bearer.' + token])
  socket = own
  // Per tab: a reload continues, and another tab can be another user.
  sessionStorage.setItem('token', token)
  reset()
  say('Connecting …')
  $('tokenForm').hidden = true
  own.onmessage = ({ data }) => {
    if (socket === own) received(data)
  }
  own.onclose = ({ code, reason }) => {
    if (socket !== own) return
    socket = null
    // A reload does not retry a refused token.
    if (code >= 4400) sessionStorage.removeItem('token')
    reset()
    say('Closed: ' + code + (reason ? ' (' + reason + ')' : ''))
    $('tokenForm').hidden = false
  }
}

function reset() {
  me = ''
  groupId = ''
  answers.clear()
  enable()
}

function received(text) {
  line($('frames'), 'in', '← ' + text)
  const { event, ref, data } = JSON.parse(text)
  const resolve = answers.get(ref)
  if (ref !== 0 && resolve) {
    answers.delete(ref)
    resolve({ event, data })
  }
  if (event === 'connected') {
    me = data.userId
    say('Connected as ' + me + ', server ' + data.serverVersion)
    enable()
  } else if (event === 'new_message' && data.message.groupId === groupId) {
    show(data.message)
  } else if (event === 'user_joined_group' && data.groupId === groupId) {
    note((data.userName || data.userId) + ' joined')
  } else if (event === 'user_left_group' && data.groupId === groupId) {
    note((data.userName || data.userId) + ' left')
  } else if (event === 'token_expiring') {
    note('The token expires soon.')
  } else if (event === 'server_shutdown') {
    note('The server is stopping: ' + data.reason)
  }
}

function show(message) {
  const at = new Date(message.createdAt).toLocaleTimeString()
  line($('messages'), '', bold(message.senderName || message.senderId), ' ' + message.content + ' ', at)
}

function note(text) {
  line($('messages'), 'note', text)
}

$('groupForm').onsubmit = async (event) => {
  event.preventDefault()
  const wanted = $('group').value
  let answer = await request('create_group', { kind: 'group', name: wanted, visibility: 'open', groupId: wanted })
  if (answer.event === 'error' && answer.data.code === 'already_exists') {
    answer = await request('join_group', { groupId: wanted })
  }
  if (answer.event === 'error') {
    note(answer.data.message)
    return
  }
  groupId = wanted
  $('messages').replaceChildren()
  note('In ' + groupId)
  const history = await request('get_history', { groupId })
  if (history.event === 'history') history.data.messages.forEach(show)
  enable()
  $('content').focus()
}

$('messageForm').onsubmit = async (event) => {
  event.preventDefault()
  const content = $('content').value
  $('content').value = ''
  const answer = await request('send_message', { groupId, content, tempId: String(Date.now()) + '-' + nextRef })
  if (answer.event === 'message_error') note(answer.data.error.message)
  if (answer.event === 'error') note(answer.data.message)
}

$('tokenForm').onsubmit = (event) => {
  event.preventDefault()
  connect($('token').value.trim())
}

const fromLink = new URLSearchParams(location.hash.slice(1)).get('token')
// Removes the token from the address bar, the history and later screenshots.
if (fromLink) history.replaceState(null, '', location.pathname)
const token = fromLink || sessionStorage.getItem('token')
if (token) connect(token)
else {
  say('No token: paste one from tertulia token --user NAME.')
  $('tokenForm').hidden = false
}
enable()
`
