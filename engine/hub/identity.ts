/**
 * Identity: the user of a session, validated where it enters the engine.
 *
 * A front end or the embedding service passes what it has verified. An identity that the log cannot
 * store is refused here, for that one caller.
 */
import { ChatError } from '../../protocol/errors.ts'
import { userId, userName } from '../../protocol/ids.ts'
import { limits } from '../../protocol/limits.ts'
import { type FieldType, text } from '../../protocol/schema.ts'
import { refusalOf } from '../../protocol/validation.ts'

/** The user of a session: the verified claims of its token. */
export interface Identity {
  /** 1 to 128 bytes of well-formed Unicode (IDN-1). */
  readonly userId: string
  /** Shown to others; without it the name of an earlier session, or the userId (IDN-2). */
  readonly name?: string | undefined
  readonly picture?: string | undefined
}

const picture = text(1, limits.urlBytes)

/**
 * The identity without empty fields.
 * @throws ChatError `bad_request` with the invalid field
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
