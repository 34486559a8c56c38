/**
 * Process settings: how `tertulia serve` divides a server into processes. They are no options of
 * `createServer`, which creates the server of one process.
 */
import { bearer, integer, text } from './setting-kinds.ts'
import { resolveTable, type SettingSpec, type ValuesOf, valuesFromEnv } from './setting-table.ts'

/** More fronts than cores gain nothing. */
const MAX_FRONTS = 64

export const processSettings = {
  fronts: {
    env: 'FRONTS',
    kind: integer(0, MAX_FRONTS),
    default: 0,
    unit: 'processes; 0 is one process for everything',
    doc: 'Front processes, which hold the sockets and share the port, before one engine process. An engine that restarts closes no socket.',
  },
  linkKey: {
    env: 'LINK_KEY',
    kind: bearer(32, 4_096),
    default: undefined,
    secret: true,
    doc: 'The key with which an engine and its fronts authenticate each other, for `--role`. With `FRONTS` a random one is used.',
  },
  linkCert: {
    env: 'LINK_CERT',
    kind: text(1, 4_096),
    default: undefined,
    doc: 'For an engine that listens on `tls://…`: the PEM file of its certificate and chain. For a front: the PEM file of the authority that signed it, if the system does not know that authority.',
  },
  linkCertKey: {
    env: 'LINK_CERT_KEY',
    kind: text(1, 4_096),
    default: undefined,
    doc: 'For an engine that listens on `tls://…`: the PEM file of the private key of `LINK_CERT`, without a passphrase.',
  },
} as const satisfies Record<string, SettingSpec>

export type ProcessSettings = ValuesOf<typeof processSettings>

/** Parses and validates the variables. @throws ConfigError for the first invalid one. */
export function processSettingsFromEnv(env: Readonly<Record<string, string | undefined>>): ProcessSettings {
  return resolveTable(processSettings, valuesFromEnv(processSettings, env))
}
