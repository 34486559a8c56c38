/**
 * Routed group: which group a decoded request is for (TRN-9).
 *
 * The counterpart of `peekHead`, which finds the same id in the bytes of the frame: the first
 * field, the first item where that is a list, or the second field where the list is empty.
 * The two have to agree for every encoding of every row; a test compares them.
 */
import { ChatError } from './errors.ts'
import { groupOfId } from './ids.ts'
import { type Request, requests } from './requests.ts'

/** The group that owns the request. @throws ChatError `bad_request` where no field names one */
export function groupOf({ event, fields }: Request): string {
  const [first = '', second = ''] = Object.keys(requests[event].fields)
  const values = fields as Readonly<Record<string, string | readonly string[] | undefined>>
  const id = values[first]
  const named = typeof id === 'string' ? id : (id?.[0] ?? values[second])
  if (typeof named !== 'string') {
    throw new ChatError('bad_request', `${first} takes one at least`, { field: first })
  }
  return groupOfId(named)
}
