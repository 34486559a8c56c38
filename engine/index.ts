/**
 * `tertulia`: the chat engine as a library.
 */
export { ChatError, type ErrorCode } from '../protocol/errors.ts'
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
export type { Durability } from './storage/sqlite/database.ts'
export { StorageError } from './storage/storage-error.ts'
