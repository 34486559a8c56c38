/**
 * Refused mail: what happens to mail that a group's actor could not handle.
 *
 * A caller receives the error. A session that would miss events is closed, so that it reconnects and
 * resumes. Other mail is sent again later, or is not needed any more.
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { ActorContext, Asked, EventSource } from '../actor-context.ts'
import type { Caller } from '../caller.ts'
import { type Effect, wakeGroup } from '../effects.ts'
import type { GroupMail } from '../mail.ts'
import { replayed } from './missed-events.ts'

const ALARM_AGAIN_MS = 500

export function refuseMail(
  mail: GroupMail | Asked,
  error: unknown,
  group: EventSource,
  context: ActorContext,
): void {
  const perform = (effect: Effect) => context.perform([effect], group)
  switch (mail.type) {
    case 'request':
      return context.refuse(mail.by, mail.request, error)
    case 'create':
    case 'add_file':
      if (!(error instanceof ChatError)) context.report(error, 'a group or a file could not be made')
      return perform(refusal(mail.by, ChatError.from(error)))
    case 'replay':
      return perform(replayed(group.groupId, mail, false))
    case 'continue': {
      const { front, from } = mail
      return perform({ type: 'continued', front, groupId: group.groupId, how: { laterFrom: from } })
    }
    case 'attach':
      return perform({ type: 'close', session: mail.session, reason: 'failed' })
    case 'alarm':
      if (!(error instanceof ChatError)) context.report(error, `alarm "${mail.what}" failed`)
      return perform(wakeGroup(group.groupId, mail.what, ALARM_AGAIN_MS))
    case 'block':
      // A group that cannot be loaded reads the block with its next load.
      if (error instanceof ChatError && error.code === 'overloaded')
        context.report(error, 'a group did not get to know of a block')
      return
    case 'check_member':
    case 'user_disconnected':
    case 'hide_typing':
    case 'renamed':
      // Typing ends by its timeout, nothing is published while the group cannot be loaded, and the next load of the group reads the names again.
      return
  }
}

function refusal(to: Caller, error: ChatError): Effect {
  return { type: 'answer', to, event: { name: 'error', fields: error.toFields() } }
}
