/**
 * Frame view: a request frame as the router sees it, its head and its row of the table.
 *
 * It is read once, where the frame arrives, and passed on through the rate limit, the hub and the
 * hooks (TRN-9). The table is an array indexed by code, so that a lookup hashes nothing.
 */
import { type FrameHead, peekHead } from './frame-head.ts'
import { type RequestSpec, requests } from './requests.ts'

export interface FrameView extends FrameHead {
  /** The row of the table; null for an unknown code. */
  readonly row: RequestSpec | null
}

const rows: (RequestSpec | null)[] = new Array(256).fill(null)
for (const row of Object.values<RequestSpec>(requests)) rows[row.code] = row

/** Reads the head of a request and finds its row. Returns null if the bytes do not start like a frame. */
export function viewFrame(frame: Uint8Array): FrameView | null {
  const head = peekHead(frame)
  if (!head) return null
  const { code, ref, idStart, idEnd } = head
  return { code, ref, idStart, idEnd, row: rows[code] ?? null }
}
