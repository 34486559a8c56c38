/**
 * Failure: why a change was not carried out, as a value that can be stored and shown.
 */
import { ChatError } from '../../protocol/errors.ts'
import { ClientError } from '../client-error.ts'
import type { Failure } from './types.ts'

export function failureOf(error: unknown): Failure {
  const { code, message } = error instanceof ClientError ? error : ChatError.from(error)
  return { code, message }
}

/** Whether the server gave no answer, so that the change is tried again. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof ClientError
}
