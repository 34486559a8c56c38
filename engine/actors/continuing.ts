/**
 * Continuing: how the topic of a group continues in a front whose link was interrupted.
 *
 * A front holds connections in another process. They stay subscribed while its link is down; when it is back
 * the group sends the front the events that it has missed, once for all of them.
 */
/** A group, and the newest seq that a front has received of it. */
export type ContinuedTopic = readonly [groupId: string, seq: number]

/**
 * A topic as a front names it. `inDoubt`: it has shown the event after `seq`, which the group sends again with
 * the change of subscribers that belongs to it.
 */
export type InterruptedTopic = readonly [groupId: string, seq: number, inDoubt: boolean]

/**
 * How a topic continues: `live`, everything from here on is published; `lost`, too much was missed and its
 * subscribers must resume by themselves; `none`, the group does not exist.
 */
export type Continued = 'live' | 'lost' | 'none'

/**
 * How the subscribers of a topic in a front changed while its link was interrupted: a user left, only some
 * stayed, or a user who had left joined again and receives what follows this seq.
 */
export type SubscriberChange =
  | { readonly left: string }
  | { readonly only: readonly string[] }
  | { readonly joined: string; readonly after: number }
