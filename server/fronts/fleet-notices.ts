/**
 * Fleet notices: what fronts tell each other, through the process of the engine.
 *
 * A front asks all others and receives their answers; the engine's process passes both on and reads neither. It
 * counts failed authentications itself.
 */

/** A question of one front to the others. */
export type Question =
  /** The statistics of the process; the answer is null from a front that is being replaced. */
  | { readonly what: 'stats' }
  /** The connections of a user. */
  | { readonly what: 'connections'; readonly userId: string }
  /** Ends the connections of a user, or one of them; the answer is their number. */
  | { readonly what: 'end'; readonly userId: string; readonly id: number | null; readonly by: string }

export type FromFront =
  /** An authentication from that address has failed. */
  | { readonly kind: 'failed'; readonly address: string }
  | { readonly kind: 'ask'; readonly number: number; readonly question: Question }
  | { readonly kind: 'answer'; readonly to: string; readonly number: number; readonly value: unknown }

export type ToFronts =
  | { readonly kind: 'blocked'; readonly address: string; readonly forMs: number }
  /** The question was passed on to so many fronts. */
  | { readonly kind: 'asked'; readonly number: number; readonly fronts: number }
  | { readonly kind: 'ask'; readonly from: string; readonly number: number; readonly question: Question }
  | { readonly kind: 'answer'; readonly number: number; readonly value: unknown }
