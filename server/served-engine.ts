/**
 * Served engine: what a server needs of an engine.
 *
 * There are two implementations: `Engine`, in this process, and the linked engine of a front, whose actors
 * run in another process. The rest of server/ uses only this interface.
 */
import type { Engine, EngineStats } from '../engine/engine.ts'
import type { Gateway } from '../engine/hub/gateway.ts'

export interface ServedEngine extends Pick<Engine, 'files' | 'request' | 'health' | 'details'> {
  /** The interface between connections and the engine. */
  readonly gateway: Gateway
  /** Of an engine in another process: whether it is linked, and every session is open there. */
  readonly linked?: boolean
  /** Of an engine in another process: requests of sockets that it has not answered. */
  readonly linkRequests?: number
  stats(): Promise<ServedStats>
}

/** The statistics of the engine. */
export interface ServedStats extends EngineStats {
  /** The process of the engine, if it is not this one. */
  readonly process?: EngineProcess
}

/** Figures of a process that runs only an engine. */
export interface EngineProcess {
  readonly pid: number
  readonly uptimeMs: number
  readonly rssBytes: number
  readonly heapUsedBytes: number
  /** Processor time of all its threads since its start. */
  readonly cpuSeconds: number
  /** Delay of its main thread's event loop over the last 30 to 60 seconds. */
  readonly eventLoopDelayP99Ms: number
  /** Fronts that are linked to it. */
  readonly fronts: number
}
