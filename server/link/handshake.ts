/**
 * Handshake: how an engine and a front recognise each other on a new socket.
 *
 *   front → engine   hello:  protocol, version, front (its id), nonce
 *   engine → front   hello:  protocol, version, nonce
 *   front → engine   proof:  HMAC-SHA-256 of both nonces and the front's id, as `front`
 *   engine → front   proof:  the same as `engine`
 *
 * The key itself never crosses. Each message is a length (4 bytes) and JSON of at most `MAX_BYTES`, so that
 * a peer without the key makes the other side hold next to nothing. Everything has one deadline.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Socket } from 'node:net'
import { version } from '../../engine/version.ts'
import { LinkError } from './link-error.ts'

/** The version of the records and of their meaning. The versions of the packages may differ. */
const LINK_VERSION = 1
const DEADLINE_MS = 5_000
const LINGER_MS = 1_000
const MAX_BYTES = 1_024
const NONCE_BYTES = 32
const ID_FORM = /^[\w-]{8,64}$/
const NONCE_FORM = /^[\w-]{43}$/

export interface HandshakeOptions {
  readonly key: string
  readonly after: (delayMs: number, then: () => void) => () => void
}

/** The other side. */
export interface Peer {
  /** The id of the front. */
  readonly front: string
  /** The version of the other side's package. */
  readonly version: string
}

type Message = { readonly [name: string]: unknown }
type Role = 'front' | 'engine'

/** The engine's part. Afterwards the socket is authenticated. @throws LinkError */
export function acceptFront(socket: Socket, options: HandshakeOptions): Promise<Peer> {
  return withMessages(socket, options, async (messages) => {
    const hello = await messages.next()
    const front = field(hello, 'front', ID_FORM)
    const theirs = field(hello, 'nonce', NONCE_FORM)
    if (hello['protocol'] !== LINK_VERSION) {
      messages.send({ refused: 'version', protocol: LINK_VERSION, version })
      throw new LinkError(`a front with protocol version ${String(hello['protocol'])}, not ${LINK_VERSION}`)
    }
    const nonce = newNonce()
    messages.send({ protocol: LINK_VERSION, version, nonce })
    const nonces = { front, frontNonce: theirs, engineNonce: nonce }
    if (!isProof((await messages.next())['proof'], options.key, 'front', nonces)) {
      messages.send({ refused: 'key' })
      throw new LinkError('a front with another key')
    }
    messages.send({ proof: proofOf(options.key, 'engine', nonces) })
    return { front, version: String(hello['version']) }
  })
}

/** The front's part. @throws LinkError; `permanent` if the keys or the protocol versions differ */
export function greetEngine(
  socket: Socket,
  front: string,
  address: string,
  options: HandshakeOptions,
): Promise<Peer> {
  return withMessages(socket, options, async (messages) => {
    const nonce = newNonce()
    messages.send({ protocol: LINK_VERSION, version, front, nonce })
    const hello = await messages.next()
    if (hello['refused'] === 'version' || hello['protocol'] !== LINK_VERSION) {
      const theirs = `${String(hello['protocol'])} (version ${String(hello['version'])})`
      throw new LinkError(
        `the engine at ${address} speaks protocol version ${theirs}, not ${LINK_VERSION}`,
        true,
      )
    }
    const nonces = { front, frontNonce: nonce, engineNonce: field(hello, 'nonce', NONCE_FORM) }
    messages.send({ proof: proofOf(options.key, 'front', nonces) })
    const proof = await messages.next()
    if (proof['refused'] === 'key')
      throw new LinkError(`the engine at ${address} refused the key: LINK_KEY differs`, true)
    if (!isProof(proof['proof'], options.key, 'engine', nonces))
      throw new LinkError(`what answers at ${address} does not have the key`, true)
    return { front, version: String(hello['version']) }
  })
}

interface Nonces {
  readonly front: string
  readonly frontNonce: string
  readonly engineNonce: string
}

function proofOf(key: string, role: Role, { front, frontNonce, engineNonce }: Nonces): string {
  const text = ['tertulia link', LINK_VERSION, role, front, frontNonce, engineNonce].join('\n')
  return createHmac('sha256', key).update(text).digest('base64url')
}

function isProof(given: unknown, key: string, role: Role, nonces: Nonces): boolean {
  const expected = Buffer.from(proofOf(key, role, nonces))
  const bytes = Buffer.from(typeof given === 'string' ? given : '')
  return bytes.length === expected.length && timingSafeEqual(bytes, expected)
}

function newNonce(): string {
  return randomBytes(NONCE_BYTES).toString('base64url')
}

function field(message: Message, name: string, form: RegExp): string {
  const value = message[name]
  if (typeof value !== 'string' || !form.test(value)) throw new LinkError(`${name} is missing or malformed`)
  return value
}

interface Messages {
  next(): Promise<Message>
  send(message: object): void
}

/** Runs the handshake; destroys the socket if it fails. What follows it in the stream is left to the reader. */
async function withMessages(
  socket: Socket,
  { after }: HandshakeOptions,
  run: (messages: Messages) => Promise<Peer>,
): Promise<Peer> {
  let received: Buffer = Buffer.alloc(0)
  let waiting: { resolve(message: Message): void; reject(error: Error): void } | null = null
  let failure: LinkError | null = null
  const fail = (error: LinkError) => {
    failure ??= error
    waiting?.reject(failure)
    waiting = null
  }
  const read = () => {
    if (!waiting || received.length < 4) return
    const length = received.readUInt32LE(0)
    if (length > MAX_BYTES) return fail(new LinkError(`a first message of ${length} bytes`))
    if (received.length < 4 + length) return
    const text = received.toString('utf8', 4, 4 + length)
    received = received.subarray(4 + length)
    const message = parsed(text)
    if (!message) return fail(new LinkError('a first message that is not an object'))
    const { resolve } = waiting
    waiting = null
    resolve(message)
  }
  const onData = (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    read()
    // Records may follow the last message; before it nothing does.
    if (waiting && received.length > 4 + MAX_BYTES) fail(new LinkError('too many bytes before the proof'))
  }
  const onError = (error: NodeJS.ErrnoException) => fail(new LinkError(error.code ?? error.message))
  const onClose = () => fail(new LinkError('the peer closed the link before it was authenticated'))
  const cancel = after(DEADLINE_MS, () => fail(new LinkError('no proof within 5 seconds')))
  socket.on('data', onData).on('error', onError).on('close', onClose)
  try {
    const peer = await run({
      next: () =>
        new Promise((resolve, reject) => {
          if (failure) return reject(failure)
          waiting = { resolve, reject: (error) => reject(error) }
          read()
          if (failure) reject(failure)
        }),
      send(message) {
        const text = Buffer.from(JSON.stringify(message))
        const bytes = Buffer.allocUnsafe(4 + text.length)
        bytes.writeUInt32LE(text.length)
        bytes.set(text, 4)
        socket.write(bytes)
      },
    })
    socket.pause()
    if (received.length > 0) socket.unshift(received)
    return peer
  } catch (error) {
    // What was sent last, a refusal, still arrives, unless the peer does not read.
    const destroy = () => void socket.destroy()
    socket.end(destroy)
    socket.once('close', after(LINGER_MS, destroy))
    throw error
  } finally {
    cancel()
    socket.off('data', onData).off('close', onClose)
    // An error of the socket must have a listener at any time.
    socket.on('error', () => {})
    socket.off('error', onError)
  }
}

function parsed(text: string): Message | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Message) : null
  } catch {
    return null
  }
}
