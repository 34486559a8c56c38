/**
 * Version: that of the package, which package.json alone states. The package's own name is resolved
 * from this file, so that sources, the built files and an installed package read the same manifest.
 */
import { createRequire } from 'node:module'

const manifest = createRequire(import.meta.url)('tertulia/package.json') as { readonly version: string }

export const { version } = manifest
