/**
 * Alarm: the mail that an actor requests for a later time.
 */

/** The reasons for an alarm of a group's actor. */
export type GroupAlarm = 'typing' | 'receipts' | 'reload'
/** The reasons for an alarm of a user's actor. */
export type UserAlarm = 'offline'

/** The actor that gets the mail, and the reason. */
export type Alarm =
  | { readonly to: 'group'; readonly id: string; readonly what: GroupAlarm }
  | { readonly to: 'user'; readonly id: string; readonly what: UserAlarm }
