/**
 * Engines for tests: both ways to run one, each in a folder of its own that goes with the test.
 *
 * Worker threads are started from built files, so that the threaded engine is taken from the
 * package itself, as a user would; `npm test` builds before it runs.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as built from 'tertulia'
import { onTestFinished } from 'vitest'
import { createEngine, type Engine, type EngineOptions } from '../../engine/engine.ts'

/** A folder that is removed when the test has ended. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tertulia-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Starts an engine that is closed when the test has ended, before its folder goes. */
export type StartEngine = (options?: Partial<EngineOptions>) => Promise<Engine>

/** The two ways to run an engine: one suite for both. */
export const modes: readonly { readonly mode: string; readonly start: StartEngine }[] = [
  {
    mode: 'inline',
    start: async (options) => closing(await createEngine(withFolder({ ...options, shards: 'inline' }))),
  },
  {
    mode: 'two shard threads',
    start: async (options) =>
      closing((await built.createEngine(withFolder({ ...options, shards: 2 }))) as unknown as Engine),
  },
]

/** The inline engine, where the mode does not matter. */
export const startInline = (modes[0] as (typeof modes)[number]).start

function withFolder(options: Partial<EngineOptions>): EngineOptions {
  return { ...options, dataDir: options.dataDir ?? temporaryFolder() }
}

function closing(engine: Engine): Engine {
  onTestFinished(() => engine.close())
  return engine
}
