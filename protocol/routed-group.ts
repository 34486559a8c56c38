/**
 * Routed group: the group that a decoded request belongs to (TRN-9).
 *
 * The counterpart of `peekHead`, which finds the same id in the bytes of the frame: the first
 * field, the first item if that is a list, or the second field if the list is empty.
 * Both must give the same result for every encoding of every row; a test compares them.
 */
import { ChatError } from './errors.ts'
import { groupOfId } from './ids.ts'
import { type Request, type RequestSpec, requests } from './requests.ts'

/** The names of the first two fields of each request. */
const leading = new Map(
  Object.entries<RequestSpec>(requests).map(([name, { fields }]) => [name, Object.keys(fields)]),
)

/** The group of the request. @throws ChatError `bad_request` if no field names one */
export function groupOf({ event, fields }: Request): string {
  const [first = '', second = ''] = leading.get(event) ?? []
  const values = fields as Readonly<Record<string, string | readonly string[] | undefined>>
  const id = values[first]
  const named = typeof id === 'string' ? id : (id?.[0] ?? values[second])
  if (typeof named !== 'string') {
    throw new ChatError('bad_request', `${first} must contain at least one item`, { field: first })
  }
  return groupOfId(named)
}
