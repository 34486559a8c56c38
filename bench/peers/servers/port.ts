/**
 * Port: the one that the runner chose, and how a server of this folder reports that it listens on it.
 */
export const port = Number(process.env['BENCH_PORT'])

// Ends with the runner, for any reason.
process.on('disconnect', () => process.exit(0))
process.on('SIGTERM', () => process.exit(0))

export function reportListening(): void {
  process.send?.({ port })
}
