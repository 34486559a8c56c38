/**
 * Engines for tests: every way to run one, each in its own folder that is removed after the test.
 *
 * Worker threads are started from built files, so the threaded engine is that of the build, bundled, and its
 * threads are used again, to start faster (`bundle.ts`); `npm test` builds before it runs.
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type * as Built from 'tertulia'
import type * as BuiltServer from 'tertulia/server'
import { onTestFinished } from 'vitest'
import { createEngine, type Engine, type EngineOptions, startEngine } from '../../engine/engine.ts'
import { inlineRuntime } from '../../engine/runtime/inline-shards.ts'
import { databasePath, openWriter } from '../../engine/storage/sqlite/database.ts'
import { builtModules } from './bundle.ts'

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tertulia-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/**
 * The files that a `kill -9` at this moment would leave. The inline engine does everything on this
 * thread, so that no file is half written while it is copied.
 */
export function crashImage(dataDir: string, image = temporaryFolder()): string {
  for (const file of ['tertulia.db', 'tertulia.db-wal']) copyFileSync(join(dataDir, file), join(image, file))
  return image
}

/** Starts an engine that is closed after the test, before its folder is removed. */
export type StartEngine = (options?: Partial<EngineOptions>) => Promise<Engine>

/**
 * The ways to run an engine, one suite for all: one, two and three shards, independent of the machine
 * (TRN-9). With three shards the owner of an id differs from that with two. Only two run in threads,
 * because starting those takes a second of the processor.
 */
export const modes: readonly { readonly mode: string; readonly start: StartEngine }[] = [
  {
    mode: 'inline',
    start: async (options) => closing(await createEngine(withFolder({ ...options, shards: 'inline' }))),
  },
  {
    mode: 'three shards inline',
    start: async (options) => closing(await startEngine(withFolder({ ...options }), inlineRuntime(3))),
  },
  { mode: 'two shard threads', start: threads(2) },
]

/** The inline engine, for tests that do not depend on the mode. */
export const startInline = (modes[0] as (typeof modes)[number]).start

function threads(shards: number): StartEngine {
  return async (options) => {
    const built = await loadBuilt()
    return closing((await built.createEngine(withFolder({ ...options, shards }))) as unknown as Engine)
  }
}

/** The package as the engines on threads are loaded, whose classes differ from those of the sources. */
export async function loadBuilt(): Promise<typeof Built> {
  return (await import(builtModules.engine)) as typeof Built
}

/** The same for the server. */
export async function loadBuiltServer(): Promise<typeof BuiltServer> {
  return (await import(builtModules.server)) as typeof BuiltServer
}

function withFolder(options: Partial<EngineOptions>): EngineOptions {
  return { ...options, dataDir: options.dataDir ?? emptyChat() }
}

/**
 * A folder with the database of an engine that has just started: the migrations would be two thirds of the
 * processor time of an engine. Tests that give a folder start in an empty one.
 */
function emptyChat(): string {
  template ??= createTemplate()
  const folder = temporaryFolder()
  copyFileSync(databasePath(template), databasePath(folder))
  return folder
}

/** Created once in each process of tests. */
let template: string | undefined

function createTemplate(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tertulia-template-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const db = openWriter(folder, 'process')
  // Each folder creates its own when it is opened.
  db.exec('DELETE FROM secrets')
  db.close()
  return folder
}

function closing(engine: Engine): Engine {
  onTestFinished(() => engine.close())
  return engine
}
