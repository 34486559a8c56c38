/**
 * `tertulia/calls`: one-to-one audio and video calls over `signal`, for browsers.
 */
export type { CallEnd, SentMedia } from './call-message.ts'
export type { CallSignals } from './call-sender.ts'
export type { CallInfo, CallMedia, CallView } from './call-view.ts'
export type { MediaDevicesLike } from './local-media.ts'
export { PeerCalls, type PeerCallsOptions } from './peer-calls.ts'
