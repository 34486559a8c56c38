/**
 * Transport line: the transport a server would use on this machine, and why; the second line of `tertulia
 * --version`.
 */
import { ConfigError, settingsFromEnv } from './config.ts'
import { loadTransport } from './transport/load.ts'

/** Reads `TRANSPORT` from the environment; if it is invalid, the error is the line. */
export async function transportLine(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  try {
    const { transport: wanted = 'auto' } = settingsFromEnv({ TRANSPORT: env['TRANSPORT'] })
    const { transport, why } = await loadTransport(wanted)
    return `transport ${transport.name}: ${why}; Node ${process.version}`
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    return `no transport: ${(error as Error).message}`
  }
}
