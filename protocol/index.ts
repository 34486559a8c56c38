/**
 * `tertulia/protocol`: tables and codecs, for programs that implement the protocol. No I/O; runs in browsers.
 */
export { type CloseReason, type CloseSpec, closeCodes, mayReconnect } from './close-codes.ts'
export { decodeEvent, decodeRequest, encodeEvent, encodeRequest } from './codec.ts'
export { ChatError, type ErrorCode, type ErrorDetails, type ErrorSpec, errors } from './errors.ts'
export {
  type DurableEvent,
  type Event,
  type EventFields,
  type EventName,
  type EventSpec,
  events,
} from './events.ts'
export { type FrameHead, peekHead } from './frame-head.ts'
export { parseMessageId, toMessageId } from './ids.ts'
export { eventFromJson, eventToJson, refOf, requestFromJson } from './json-codec.ts'
export { limits } from './limits.ts'
export {
  type Answer,
  type MethodRequest,
  type RequestMethods,
  type Result,
  requestMethods,
  type SendRequest,
} from './methods.ts'
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
} from './records.ts'
export { records } from './records.ts'
export {
  type Request,
  type RequestFields,
  type RequestName,
  type RequestSpec,
  type RequestsTo,
  requests,
} from './requests.ts'
export { subprotocols } from './subprotocols.ts'
