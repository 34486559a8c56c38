/**
 * Transports: the one that the server tests use, and all that load on this machine.
 *
 * `TERTULIA_TEST_TRANSPORT=node` runs everything on the built-in transport (see vitest.config.ts).
 */
import { loadTransport } from '../../server/transport/load.ts'
import { nodeTransport } from '../../server/transport/node/transport.ts'
import type { Transport } from '../../server/transport/transport.ts'

/** The transport of this run. */
export const { transport } = await loadTransport('auto')

/** For the environment of a server process, so that it uses the same one. */
export const transportEnv = { TRANSPORT: transport.name } as const

/** The transports that load in this run. */
export const transports: readonly Transport[] = [...new Set([nodeTransport, transport])]
