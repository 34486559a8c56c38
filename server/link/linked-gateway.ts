/**
 * Linked gateway: the engine's gateway, in the process of a front.
 *
 * Connections use it like the gateway of an engine in their process. Frames are appended to the batch for
 * the engine, undecoded; what the engine sends is passed to the ports of the connections and, for topics, to
 * the publishers, once for each event. While the link is down requests are refused as `overloaded`.
 */

import { overloaded } from '../../engine/base/refusals.ts'
import { ephemeralTwin } from '../../engine/base/topics.ts'
import type { Gateway, Identity, Publisher, SessionPort } from '../../engine/hub/gateway.ts'
import { checkIdentity } from '../../engine/hub/identity.ts'
import { SendRun } from '../../engine/hub/send-run.ts'
import { type CloseReason, closeCodes } from '../../protocol/close-codes.ts'
import { FrontSessions } from './front-sessions.ts'
import type { Link } from './link.ts'
import { LinkError } from './link-error.ts'
import { ToEngine, ToFront } from './link-records.ts'
import { packed } from './packed.ts'

/** Above this many unsent bytes the engine does not keep up: requests are refused. */
const MAX_REQUEST_BYTES = 16 * 1024 * 1024

export class LinkedGateway implements Gateway {
  readonly #sessions = new FrontSessions()
  readonly #publishers = new Set<Publisher>()
  /** Frames for one connection that are sent together; ends with the records of one chunk. */
  readonly #run = new SendRun()
  #runEnds = false
  #link: Link | null = null

  get sessions(): number {
    return this.#sessions.size
  }

  open(identity: Identity, port: SessionPort): number {
    const checked = checkIdentity(identity)
    const link = this.#requireLink()
    const session = this.#sessions.add(port, checked)
    link.push(ToEngine.open, session.number, undefined, packed(checked))
    return session.number
  }

  receive(number: number, frame: Uint8Array): void {
    if (!this.#sessions.get(number)) return
    this.#requireLink().push(ToEngine.frame, number, undefined, frame)
  }

  renew(number: number, identity: Identity): void {
    const session = this.#sessions.get(number)
    if (!session) return
    session.identity = identity
    this.#link?.push(ToEngine.renew, number, undefined, packed(checkIdentity(identity)))
  }

  closed(number: number): void {
    const session = this.#sessions.get(number)
    if (!session) return
    this.#sessions.remove(session)
    this.#link?.push(ToEngine.closed, number)
  }

  addPublisher(publisher: Publisher): () => void {
    this.#publishers.add(publisher)
    return () => this.#publishers.delete(publisher)
  }

  /** The link is up. */
  linked(link: Link): void {
    this.#link = link
  }

  /** The link has ended. */
  broken(): void {
    this.#link = null
  }

  /** Handles a record of the engine. @throws LinkError if it is not one */
  take(kind: number, number: number, id: Uint8Array, body: Uint8Array): void {
    if (kind === ToFront.send) {
      this.#send(this.#sessions.get(number)?.port, body)
      return
    }
    if (this.#run.port) this.#run.end()
    switch (kind) {
      case ToFront.show:
        return this.#publish(this.#sessions.topic(number)?.name, body, undefined)
      case ToFront.publish: {
        const topic = this.#sessions.topic(number)
        const except = id.length === 0 ? undefined : this.#sessions.get(Buffer.from(id).readUInt32LE(0))?.port
        return this.#publish(topic && ephemeralTwin(topic.name), body, except)
      }
      case ToFront.subscribe: {
        const session = this.#sessions.get(number)
        const topic = viewOf(body).readUInt32LE(0)
        if (session) this.#sessions.subscribe(session, topic, viewOf(id).toString('latin1'))
        return
      }
      case ToFront.unsubscribe: {
        const session = this.#sessions.get(number)
        if (session) this.#sessions.unsubscribe(session, viewOf(id).readUInt32LE(0))
        return
      }
      case ToFront.close:
        return this.#sessions.get(number)?.port.close(reasonOf(id))
      case ToFront.malformed:
        return this.#sessions.get(number)?.port.countMalformed?.()
      case ToFront.whenDrained: {
        const question = Uint8Array.from(id)
        const link = this.#link
        this.#sessions.get(number)?.port.whenDrained(() => link?.push(ToEngine.drained, number, question))
        return
      }
      default:
        throw new LinkError(`a record of an unknown kind (${kind})`)
    }
  }

  #send(port: SessionPort | undefined, frame: Uint8Array): void {
    this.#run.add(port, frame)
    if (!this.#run.port || this.#runEnds) return
    this.#runEnds = true
    // The bytes stay as they are: the chunk that they arrived in is not used again.
    queueMicrotask(() => {
      this.#runEnds = false
      this.#run.end()
    })
  }

  #publish(topic: string | undefined, frame: Uint8Array, except: SessionPort | undefined): void {
    if (topic === undefined) return
    for (const publisher of this.#publishers) publisher.publish(topic, frame, except)
  }

  /** @throws ChatError `overloaded` */
  #requireLink(): Link {
    const link = this.#link
    if (!link || link.unsentBytes > MAX_REQUEST_BYTES) throw overloaded()
    return link
  }
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** @throws LinkError if the table of close codes does not have it */
function reasonOf(id: Uint8Array): CloseReason {
  const reason = viewOf(id).toString('latin1')
  if (!Object.hasOwn(closeCodes, reason)) throw new LinkError(`an unknown reason to close: ${reason}`)
  return reason as CloseReason
}
