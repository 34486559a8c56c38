/**
 * Cannot listen: the error of a port that is in use, or of a host that is not an address of this machine.
 */
import { ConfigError } from './setting-table.ts'

export function cannotListen(host: string, port: number): ConfigError {
  return new ConfigError(
    `cannot listen on port ${port} of ${host}: PORT is in use, or HOST is not an address of this machine`,
  )
}
