/**
 * Transports: the one that the tests of the server run on, and all that load here.
 *
 * `TERTULIA_TEST_TRANSPORT=node` runs everything on the built-in transport (see vitest.config.ts).
 */
import { loadTransport } from '../../server/transport/load.ts'
import { nodeTransport } from '../../server/transport/node/transport.ts'
import type { Transport } from '../../server/transport/transport.ts'

/** The transport of this run. */
export const { transport } = await loadTransport('auto')

/** For the environment of a server's process, so that it runs on the same. */
export const transportEnv = { TRANSPORT: transport.name } as const

/** Those that load in this run. */
export const transports: readonly Transport[] = [...new Set([nodeTransport, transport])]
