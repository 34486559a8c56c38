/**
 * Engine settings: the part of a server's settings that its engine has.
 */
import type { EngineOptions } from '../engine/engine.ts'
import type { SettingName, Settings } from './config.ts'

/** The settings that only the engine uses: a server with a given engine has no use for them. */
export const settingsOfEngine = [
  'shards',
  'durability',
  'fanout',
  'storageQuota',
  'contactPolicy',
  'maxGroupsPerUser',
  'editWindowMs',
  'presenceGraceMs',
] as const satisfies readonly SettingName[]

/** The options of the engine that these settings mean. */
export function engineSettings(settings: Settings): EngineOptions {
  const {
    dataDir,
    shards,
    durability,
    fanout,
    rateLimit,
    maxMessageBytes,
    maxUpload,
    storageQuota,
    maxGroupsPerUser,
    editWindowMs,
  } = settings
  const { contactPolicy, presenceGraceMs } = settings
  const maxUploadBytes = maxUpload
  return {
    dataDir,
    shards,
    durability,
    fanout,
    rateLimit,
    maxMessageBytes,
    maxUploadBytes,
    storageQuotaBytes: storageQuota,
    contactPolicy,
    maxGroupsPerUser,
    editWindowMs,
    presenceGraceMs,
  }
}
