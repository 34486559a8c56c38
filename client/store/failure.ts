/**
 * Failure: why a change was not carried out, as a value that can be stored and shown.
 */
import { ChatError } from '../../protocol/errors.ts'
import type { Answer, MethodRequest, SendRequest } from '../../protocol/methods.ts'
import type { RequestFields } from '../../protocol/requests.ts'
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

export function rejectFailure(error: unknown): never {
  throw failureOf(error)
}

/** The answer to a request. If it fails, `undo` removes what is on show; rejects with a `Failure`. */
export function ask<N extends MethodRequest>(
  request: SendRequest,
  name: N,
  fields: RequestFields<N>,
  undo?: () => void,
): Promise<Answer<N>> {
  return request(name, fields).catch((error: unknown) => {
    undo?.()
    return rejectFailure(error)
  })
}
