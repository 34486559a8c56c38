/**
 * Alarm: the mail that an actor asks to get at a later time.
 */

/** What a group's actor may be woken for. */
export type GroupAlarm = 'typing' | 'receipts' | 'reload'
/** What a user's actor may be woken for. */
export type UserAlarm = 'offline'

/** Whom to wake, and what for. */
export type Alarm =
  | { readonly to: 'group'; readonly id: string; readonly what: GroupAlarm }
  | { readonly to: 'user'; readonly id: string; readonly what: UserAlarm }
