/**
 * Greeting: the information about the server that every session receives.
 */
import type { Limits } from '../../protocol/records.ts'

/** The information about the server in every `connected`. */
export interface Greeting {
  readonly serverVersion: string
  readonly limits: Limits
}
