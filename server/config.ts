/**
 * Configuration: every setting in one table, with its variable, kind, default and meaning.
 *
 * The types, the reading of the environment, the refusals and the table of the docs follow from
 * it. A wrong value is a `ConfigError` that names the variable and what it may be; the value of a
 * secret is never shown.
 */
import { availableParallelism } from 'node:os'
import * as v from 'valibot'
import {
  bearer,
  flag,
  oneOf,
  origins,
  publicKeyPem,
  type SettingKind,
  sharedSecret,
  text,
  webAddress,
  whole,
  wholeOr,
} from './setting-kinds.ts'

interface SettingSpec {
  /** The environment variable. */
  readonly env: string
  readonly kind: SettingKind
  /** The value where none is given; undefined is "not set". A function where the machine decides. */
  readonly default: unknown
  /** The default in words, where it is a function. */
  readonly defaultText?: string
  readonly unit?: string
  /** Its value is not shown in errors. */
  readonly secret?: true
  /** A sentence for the table of the docs. */
  readonly doc: string
}

const MIB = 1_048_576

export const settings = {
  port: { env: 'PORT', kind: whole(0, 65_535), default: 4040, doc: 'The TCP port; 0 takes a free one.' },
  host: { env: 'HOST', kind: text(1, 255), default: '0.0.0.0', doc: 'The address to listen on.' },
  dataDir: {
    env: 'DATA_DIR',
    kind: text(1, 4_096),
    default: './data',
    doc: 'The folder of the database; made where it is missing.',
  },
  shards: {
    env: 'SHARDS',
    kind: wholeOr(1, 64, 'inline'),
    default: () => Math.min(64, Math.max(1, availableParallelism() - 1)),
    defaultText: 'cores − 1, at most 64',
    unit: 'threads',
    doc: 'Threads that run groups and users; `inline` runs them on the main thread.',
  },
  durability: {
    env: 'DURABILITY',
    kind: oneOf('memory', 'process', 'disk'),
    default: 'process',
    doc: 'What an acknowledged change survives: nothing, `kill -9`, or a loss of power.',
  },
  fanout: {
    env: 'FANOUT',
    kind: oneOf('immediate', 'committed'),
    default: 'immediate',
    doc: 'When other members see an event: at once, or once it is durable.',
  },
  maxConnections: {
    env: 'MAX_CONNECTIONS',
    kind: whole(1, 1_000_000),
    default: 20_000,
    unit: 'sockets',
    doc: 'Over it an upgrade is refused with 503.',
  },
  maxSessionsPerUser: {
    env: 'MAX_SESSIONS_PER_USER',
    kind: whole(1, 100_000),
    default: 16,
    unit: 'sockets',
    doc: 'Over it the one that has been silent for longest is closed with 4409.',
  },
  maxUnauthenticated: {
    env: 'MAX_UNAUTHENTICATED',
    kind: whole(1, 1_000_000),
    default: 200,
    unit: 'sockets',
    doc: 'Sockets that have not brought a token. Over it a new one replaces the oldest, or is refused with 503 while all are younger than a second. With uWebSockets.js each may hold a frame of `MAX_MESSAGE_BYTES` and 16 KiB, else 16 KiB.',
  },
  maxUnauthenticatedPerAddress: {
    env: 'MAX_UNAUTHENTICATED_PER_ADDRESS',
    kind: whole(1, 1_000_000),
    default: 100,
    unit: 'sockets',
    doc: 'The same for one address, with 429.',
  },
  maxMessageBytes: {
    env: 'MAX_MESSAGE_BYTES',
    kind: whole(1_024, 16 * MIB),
    default: 65_536,
    unit: 'bytes',
    doc: 'The largest frame of a client; a larger one is answered `too_large`.',
  },
  maxUpload: {
    env: 'MAX_UPLOAD',
    kind: whole(1, 1_099_511_627_776),
    default: 100 * MIB,
    unit: 'bytes',
    doc: 'The largest file; a larger one is answered `too_large`.',
  },
  storageQuota: {
    env: 'STORAGE_QUOTA',
    kind: whole(0, 2 ** 50),
    default: 5 * 1024 * MIB,
    unit: 'bytes; 0 is no limit',
    doc: 'What the files of one user may take together, uploads under way included; over it an upload is answered `quota_exceeded`.',
  },
  contactPolicy: {
    env: 'CONTACT_POLICY',
    kind: oneOf('open', 'request', 'shared', 'closed'),
    default: 'open',
    doc: 'Direct chats between users who share no group: `open` delivers them at once, with `request` they wait in `get_invitations` until the other one accepts, with `shared` they are refused. With `closed` users open no direct chats at all, only the operator’s service does: by `engine.request`, or over HTTP with a token that has the claim `tertulia_service: true`.',
  },
  maxGroupsPerUser: {
    env: 'MAX_GROUPS_PER_USER',
    kind: whole(0, 1_000_000),
    default: 10_000,
    unit: 'groups; 0 is no limit',
    doc: 'How many groups and direct chats a user may be in; above it they can neither make nor join another one, nor be added to one: `limit_reached`. What is asked for at the same moment in several groups is not counted together: a user may come to be in as many more as there are such requests under way.',
  },
  maxBackpressure: {
    env: 'MAX_BACKPRESSURE',
    kind: whole(65_536, 1_024 * MIB),
    default: MIB,
    unit: 'bytes',
    doc: 'What may wait unsent for one reader; one that is further behind is closed with 4008 and resumes later.',
  },
  rateLimit: {
    env: 'RATE_LIMIT',
    kind: whole(0, 1_000_000),
    default: 100,
    unit: 'events a minute and user',
    doc: 'Over it `rate_limited`. Separate budgets: reads (history, search, lists) 5 times as many, typing, receipts, signals and pings 10 times, file chunks 60 times; connections at least 100 a minute and user, and 100 times that per address. Some requests cost more than one: docs/PROTOCOL.md. 0 is no limit.',
  },
  editWindowMs: {
    env: 'EDIT_WINDOW_MS',
    kind: whole(0, 1_000_000_000_000),
    default: 0,
    unit: 'ms',
    doc: 'How long a message may be edited. 0 is for ever.',
  },
  presenceGraceMs: {
    env: 'PRESENCE_GRACE_MS',
    kind: whole(0, 3_600_000),
    default: 5_000,
    unit: 'ms',
    doc: 'How long after a user’s last connection has gone others see them offline, so that a reconnect is not seen.',
  },
  authFailureLimit: {
    env: 'AUTH_FAILURE_LIMIT',
    kind: whole(0, 1_000_000),
    default: 60,
    unit: 'failures a minute and address',
    doc: 'Failed authentications after which an address is refused with 429. 0 is no limit.',
  },
  trustProxy: {
    env: 'TRUST_PROXY',
    kind: flag,
    default: false,
    doc: 'Takes the client’s address from the last entry of `X-Forwarded-For`; only behind a proxy that writes it.',
  },
  transport: {
    env: 'TRANSPORT',
    kind: oneOf('auto', 'uws', 'node'),
    default: 'auto',
    doc: 'What speaks HTTP and WebSocket: `uws` is uWebSockets.js, `node` the built-in transport, `auto` the first of the two that loads.',
  },
  tlsCert: {
    env: 'TLS_CERT',
    kind: text(1, 4_096),
    default: undefined,
    doc: 'The file of the certificate and its chain, PEM. With `TLS_KEY` the port speaks https and wss.',
  },
  tlsKey: {
    env: 'TLS_KEY',
    kind: text(1, 4_096),
    default: undefined,
    doc: 'The file of the certificate’s private key, PEM, without a passphrase.',
  },
  compression: {
    env: 'COMPRESSION',
    kind: oneOf('off', 'shared'),
    default: 'off',
    doc: '`shared`: permessage-deflate for frames of 1 KiB and more. It takes no memory for each socket, but an event is compressed anew for every socket that gets it: for small groups and slow networks, not for large groups.',
  },
  metricsToken: {
    env: 'METRICS_TOKEN',
    kind: bearer(16, 4_096),
    default: undefined,
    secret: true,
    doc: 'What `/metrics` and `/api/stats` take as `Authorization: Bearer`. Without it they answer only programs on this machine.',
  },
  memoryLimit: {
    env: 'MEMORY_LIMIT',
    kind: whole(0, 1_099_511_627_776 * 1_024),
    default: 0,
    unit: 'bytes',
    doc: 'What the memory of the process is measured against in the metrics; nothing is enforced. 0 is the container’s limit, or the machine’s memory.',
  },
  corsOrigins: {
    env: 'CORS_ORIGINS',
    kind: origins,
    default: [],
    defaultText: 'the server’s own',
    doc: 'Origins whose pages may connect, by WebSocket and by HTTP. What sends no origin is no page and may.',
  },
  jwtSecret: {
    env: 'JWT_SECRET',
    kind: sharedSecret,
    default: undefined,
    secret: true,
    doc: 'The HS256 key. Outside production one is made and kept in `DATA_DIR` where no key is set.',
  },
  jwtPublicKey: {
    env: 'JWT_PUBLIC_KEY',
    kind: publicKeyPem,
    default: undefined,
    // A private key may have been set here by mistake.
    secret: true,
    doc: 'The issuer’s key: RS256 (RSA), ES256 (P-256) or EdDSA (Ed25519).',
  },
  jwtJwksUrl: {
    env: 'JWT_JWKS_URL',
    kind: webAddress,
    default: undefined,
    doc: 'Where the issuer publishes its keys: RS256, ES256, EdDSA.',
  },
  jwtIssuer: { env: 'JWT_ISSUER', kind: text(1, 2_048), default: undefined, doc: 'What `iss` has to be.' },
  jwtAudience: {
    env: 'JWT_AUDIENCE',
    kind: text(1, 2_048),
    default: undefined,
    doc: 'What `aud` has to name.',
  },
  jwtUserClaim: {
    env: 'JWT_USER_CLAIM',
    kind: text(1, 256),
    default: 'sub',
    doc: 'The claim that holds the user’s id: a text of 1 to 128 bytes, or a whole number.',
  },
  jwtNameClaim: {
    env: 'JWT_NAME_CLAIM',
    kind: text(1, 256),
    default: 'name',
    doc: 'The claim that holds the user’s name.',
  },
  jwtLeeway: {
    env: 'JWT_LEEWAY',
    kind: whole(0, 300),
    default: 5,
    unit: 'seconds',
    doc: 'What `exp` and `nbf` may be off by, because the issuer’s clock is another.',
  },
  logLevel: {
    env: 'LOG_LEVEL',
    kind: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    default: 'info',
    doc: 'The least important lines to log; JSON on standard error.',
  },
  nodeEnv: {
    env: 'NODE_ENV',
    kind: text(1, 64),
    default: () => process.env['NODE_ENV'] || 'development',
    defaultText: 'development',
    doc: 'In `production` the server does not start without a key.',
  },
} as const satisfies Record<string, SettingSpec>

export type SettingName = keyof typeof settings

type KindOf<N extends SettingName> = (typeof settings)[N]['kind'] extends SettingKind<infer T> ? T : never
type MayBeUnset<N extends SettingName> = undefined extends (typeof settings)[N]['default'] ? undefined : never

/** Every setting, judged, with the defaults in place. */
export type Settings = { readonly [N in SettingName]: KindOf<N> | MayBeUnset<N> }

/** Settings as given: what is left off or undefined takes its default. */
export type GivenSettings = { readonly [N in SettingName]?: KindOf<N> | undefined }

/** A setting is wrong; the message names its variable and what it may be. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const rows = Object.entries(settings) as [SettingName, SettingSpec][]

/**
 * Reads the variables of the table; an empty one counts as not set.
 * @throws ConfigError for the first that is wrong.
 */
export function settingsFromEnv(env: Readonly<Record<string, string | undefined>>): GivenSettings {
  const given: Record<string, unknown> = {}
  for (const [name, row] of rows) {
    const value = env[row.env]
    if (value !== undefined && value !== '') given[name] = judge(row, row.kind.fromText(value))
  }
  return given
}

/**
 * Judges what was given and fills in the defaults.
 * @throws ConfigError for the first that is wrong, for two keys, and for none in production.
 */
export function resolveSettings(given: GivenSettings): Settings {
  const resolved: Record<string, unknown> = {}
  for (const [name, row] of rows) {
    const value = given[name]
    if (value !== undefined) resolved[name] = judge(row, value)
    else resolved[name] = typeof row.default === 'function' ? row.default() : row.default
  }
  const all = resolved as Settings
  const keys = (['jwtSecret', 'jwtPublicKey', 'jwtJwksUrl'] as const).filter(
    (name) => all[name] !== undefined,
  )
  if (keys.length > 1) {
    throw new ConfigError(`set only one of ${keys.map((name) => settings[name].env).join(' and ')}`)
  }
  if (keys.length === 0 && all.nodeEnv === 'production') {
    throw new ConfigError(
      'in production a key is needed: set JWT_SECRET (32 bytes at least), JWT_PUBLIC_KEY or JWT_JWKS_URL',
    )
  }
  if ((all.tlsCert === undefined) !== (all.tlsKey === undefined)) {
    throw new ConfigError('set both TLS_CERT and TLS_KEY, or none')
  }
  return all
}

/** The table of the docs, in Markdown, one row a setting. */
export function configurationTable(): string {
  const lines = [
    '| variable | `createServer` | default | takes | meaning |',
    '| --- | --- | --- | --- | --- |',
  ]
  for (const [name, row] of rows) {
    const unit = row.unit ? `, ${row.unit}` : ''
    lines.push(
      `| \`${row.env}\` | \`${name}\` | ${defaultInWords(row)} | ${row.kind.takes}${unit} | ${row.doc} |`,
    )
  }
  return `${lines.join('\n')}\n`
}

/** The settings for `--help`: the variable, its default, and what it means. */
export function settingsHelp(): string {
  return rows
    .map(
      ([, row]) =>
        `  ${row.env} (${defaultInWords(row).replaceAll('`', '')})\n${wrapped(row.doc.replaceAll('`', ''))}`,
    )
    .join('\n')
}

/** The setting that an option such as `--port` or `--data-dir` stands for. */
export function settingOfOption(option: string): SettingSpec | undefined {
  const asked = option.replaceAll('-', '_').toUpperCase()
  return rows.find(([, { env }]) => env === asked)?.[1]
}

function wrapped(text: string): string {
  return text.replaceAll(/(.{1,90})(?: |$)/g, '      $1\n').trimEnd()
}

function defaultInWords(row: SettingSpec): string {
  if (row.defaultText) return row.defaultText
  return row.default === undefined ? 'none' : `\`${String(row.default)}\``
}

function judge(row: SettingSpec, value: unknown): unknown {
  const judged = v.safeParse(row.kind.schema, value)
  if (judged.success) return judged.output
  const shown = row.secret || isKey(value) ? '' : ` is ${shorten(JSON.stringify(value))}, but it`
  throw new ConfigError(`${row.env}${shown} takes ${row.kind.takes}`)
}

/** A key that was set where it does not belong; not a part of it is shown. */
function isKey(value: unknown): boolean {
  return JSON.stringify(value)?.includes('PRIVATE KEY') ?? false
}

function shorten(shown: string | undefined): string {
  const whole = shown ?? 'undefined'
  return whole.length > 80 ? `${whole.slice(0, 80)}…` : whole
}
