/**
 * `tertulia`: the chat engine as a library.
 */
export { ChatError, type ErrorCode } from '../protocol/errors.ts'
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
export type { ContactPolicy } from './actors/group-rules.ts'
export type { EngineLogger } from './base/engine-logger.ts'
export { StorageError } from './base/storage-error.ts'
export {
  createEngine,
  type Engine,
  type EngineDetails,
  type EngineOptions,
  type EngineStats,
  type ThreadFigures,
} from './engine.ts'
export {
  type Draft,
  type DraftChange,
  type Hooks,
  type HookUser,
  type MissedMessage,
  reject,
} from './hooks/hooks.ts'
export type { MessageChange } from './hooks/posted.ts'
export type { Gateway, Identity, Publisher, SessionPort } from './hub/gateway.ts'
export type { Health } from './hub/health.ts'
export type { EventListener, Session } from './hub/session.ts'
export type { Durability } from './log/durability.ts'
export type { ShardStats } from './shards/shard.ts'
