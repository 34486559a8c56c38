/**
 * Disk space: how full the disk of the data folder is, reported before writes fail.
 *
 * Checked every few seconds, one check at a time, because a disk that hangs does not answer. From
 * `WARN_RATIO` on a warning is logged once and shown in `/readyz`; when almost no space is left,
 * readiness fails while messages can still be written.
 */
import { statfs } from 'node:fs/promises'
import type { EngineLogger } from './base/engine-logger.ts'
import { startTimer } from './threads/timer.ts'

const LOOK_EVERY_MS = 5_000
const WARN_RATIO = 0.9
/** Both conditions must hold: 2 % of a large disk are enough, and so are 64 MiB of a small one. */
const FULL_RATIO = 0.98
const FULL_BYTES = 64 * 1024 * 1024

/** Bytes of the disk that a user without privileges can use. */
export interface DiskFigures {
  readonly totalBytes: number
  readonly freeBytes: number
}

/** How the disk is checked, injected. */
export interface DiskSpaceDeps {
  readonly look: () => Promise<DiskFigures>
  readonly after: (delayMs: number, then: () => void) => () => void
}

export class DiskSpace {
  readonly #deps: DiskSpaceDeps
  readonly #logger: EngineLogger
  #figures: DiskFigures | null = null
  #warned = false
  #closed = false
  #cancel: () => void = () => {}

  constructor(dataDir: string, logger: EngineLogger, deps: DiskSpaceDeps = machineDisk(dataDir)) {
    this.#deps = deps
    this.#logger = logger
    void this.#look()
  }

  /** The figures of the last check; null before the first. */
  get figures(): DiskFigures | null {
    return this.#figures
  }

  /** The warning for a disk that fills up; null below 90 %. */
  get warning(): string | null {
    const used = usedRatio(this.#figures)
    return used < WARN_RATIO ? null : `the disk is ${Math.floor(used * 100)} % full`
  }

  /** Whether so little space is left that writes are about to fail. */
  get full(): boolean {
    return usedRatio(this.#figures) >= FULL_RATIO && (this.#figures?.freeBytes ?? 0) < FULL_BYTES
  }

  close(): void {
    this.#closed = true
    this.#cancel()
  }

  async #look(): Promise<void> {
    try {
      this.#figures = await this.#deps.look()
    } catch {
      // The system does not report it: there are no figures, and no warning.
      this.#figures = null
    }
    if (this.#closed) return
    this.#log()
    this.#cancel = this.#deps.after(LOOK_EVERY_MS, () => void this.#look())
  }

  #log(): void {
    const { warning } = this
    if ((warning !== null) === this.#warned) return
    this.#warned = warning !== null
    if (warning !== null) this.#logger.warn({ ...this.#figures }, warning)
    else this.#logger.info({ ...this.#figures }, 'the disk has room again')
  }
}

function usedRatio(figures: DiskFigures | null): number {
  return figures && figures.totalBytes > 0 ? 1 - figures.freeBytes / figures.totalBytes : 0
}

function machineDisk(dataDir: string): DiskSpaceDeps {
  return {
    async look() {
      const { blocks, bfree, bavail, bsize } = await statfs(dataDir)
      // Blocks reserved for root count as used, as in `df`.
      return { totalBytes: (blocks - bfree + bavail) * bsize, freeBytes: bavail * bsize }
    },
    after(delayMs, then) {
      return startTimer(delayMs, then)
    },
  }
}
