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
export type { ContactPolicy } from './actors/group/group-state.ts'
export { createEngine, type Engine, type EngineOptions, type EngineStats } from './engine.ts'
export type { EngineLogger } from './engine-logger.ts'
export type { Gateway, Identity, Publisher, SessionPort } from './gateway.ts'
export {
  type Draft,
  type DraftChange,
  type Hooks,
  type HookUser,
  type MessageChange,
  type MissedMessage,
  reject,
} from './hooks/hooks.ts'
export type { Health } from './hub.ts'
export type { EventListener, Session } from './session.ts'
export type { ShardStats } from './shards/shard.ts'
export type { Durability } from './storage/durability.ts'
export { StorageError } from './storage/storage-error.ts'
