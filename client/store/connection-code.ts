/**
 * Connection code: what a store needs to connect, and not to show its cached state; loaded beside that.
 */
export { ChatClient } from '../chat-client.ts'
export { eventNames } from '../wire.ts'
export { forgetOthers } from './cache/other-users.ts'
