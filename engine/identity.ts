/**
 * Identity: who a session is, checked where it enters the engine.
 *
 * Whoever opens sessions, a front end or the embedding service, passes what it has verified. What
 * is not of the form that the log can hold is refused here, for one caller, and goes no further.
 */
import { ChatError } from '../protocol/errors.ts'
import { userId, userName } from '../protocol/ids.ts'
import { limits } from '../protocol/limits.ts'
import { type FieldType, text } from '../protocol/schema.ts'
import { refusalOf } from '../protocol/validation.ts'

/** Who a session is: the verified claims of its token. */
export interface Identity {
  /** 1 to 128 bytes of well-formed Unicode (IDN-1). */
  readonly userId: string
  /** Shown to others; where it is left off, the name of an earlier session, or the userId (IDN-2). */
  readonly name?: string | undefined
  readonly picture?: string | undefined
}

const picture = text(1, limits.urlBytes)

/**
 * The identity with what is empty left out.
 * @throws ChatError `bad_request` with the field that is not of its form
 */
export function checkIdentity(given: Identity): Identity {
  if (typeof given !== 'object' || given === null) {
    throw new ChatError('bad_request', 'an identity takes an object with a userId', { field: 'userId' })
  }
  requireForm('userId', userId, given.userId)
  return {
    userId: given.userId,
    name: optionalForm('name', userName, given.name),
    picture: optionalForm('picture', picture, given.picture),
  }
}

function requireForm(name: string, field: FieldType, value: unknown): void {
  const refusal = refusalOf(field, value)
  if (refusal !== undefined) throw new ChatError('bad_request', `${name} ${refusal}`, { field: name })
}

function optionalForm(name: string, field: FieldType, value: string | null | undefined): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  requireForm(name, field, value)
  return value
}
