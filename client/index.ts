/**
 * `tertulia/client`: the SDK for browsers and Node. Imports the protocol, and `ws` in Node.
 */
export { ChatError, type ErrorCode, errors } from '../protocol/errors.ts'
export type {
  ErrorInfo,
  File,
  Gap,
  Group,
  GroupListing,
  GroupSummary,
  Invitation,
  Limits,
  Member,
  Message,
  Reaction,
  SearchHit,
  User,
} from '../protocol/records.ts'
export {
  ChatClient,
  type ClientEvents,
  type ClientMethods,
  type MessageToSend,
} from './chat-client.ts'
export type { Disconnect } from './client-connection.ts'
export { ClientError, type ClientErrorCode, clientErrors } from './client-error.ts'
export type { Clock } from './clock.ts'
export type { Missed } from './group-logs.ts'
export type { ClientState, TokenSource } from './link.ts'
export type { ChatClientOptions, StartPositions } from './options.ts'
export type { FileToUpload } from './upload.ts'
