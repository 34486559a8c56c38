/**
 * Engines for tests: every way to run one, each in a folder of its own that is removed with the test.
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

/**
 * The ways to run an engine, one suite for all: one shard, two and three, whatever the machine
 * (TRN-9). With three the owner of an id differs from that with two.
 */
export const modes: readonly { readonly mode: string; readonly start: StartEngine }[] = [
  {
    mode: 'inline',
    start: async (options) => closing(await createEngine(withFolder({ ...options, shards: 'inline' }))),
  },
  { mode: 'two shard threads', start: threads(2) },
  { mode: 'three shard threads', start: threads(3) },
]

/** The inline engine, where the mode does not matter. */
export const startInline = (modes[0] as (typeof modes)[number]).start

function threads(shards: number): StartEngine {
  return async (options) =>
    closing((await built.createEngine(withFolder({ ...options, shards }))) as unknown as Engine)
}

function withFolder(options: Partial<EngineOptions>): EngineOptions {
  return { ...options, dataDir: options.dataDir ?? temporaryFolder() }
}

function closing(engine: Engine): Engine {
  onTestFinished(() => engine.close())
  return engine
}
