/**
 * The buttons that begin a call, in the header of a direct chat.
 */
import type { GroupHandle } from '../../client/store/types.ts'

export function CallButtons(_: { readonly handle: GroupHandle }) {
  return null
}
