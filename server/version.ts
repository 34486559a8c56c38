/**
 * Version: read from package.json, which stands above the sources as well as above what is built.
 */
import { readFileSync } from 'node:fs'

/** The version of this package; `0.0.0` where its package.json was taken away. */
export function packageVersion(): string {
  for (const up of ['..', '../..']) {
    try {
      const manifest = JSON.parse(readFileSync(new URL(`${up}/package.json`, import.meta.url), 'utf8')) as {
        readonly name?: string
        readonly version?: string
      }
      if (manifest.name === 'tertulia' && manifest.version) return manifest.version
    } catch {
      // Not here: one folder further up.
    }
  }
  return '0.0.0'
}
