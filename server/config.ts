/**
 * Configuration: every setting of a server in one table, with its variable, kind, default and meaning.
 *
 * The types, the parsing of the environment, the error messages and the reference (`settings-reference.ts`) are
 * derived from it. An invalid value causes a `ConfigError` with the name of the variable, the rule, and the
 * value unless it is a secret.
 */
import { availableParallelism } from 'node:os'
import {
  bearer,
  flag,
  iceServers,
  integer,
  integerOr,
  oneOf,
  origins,
  publicKeyPem,
  sharedSecret,
  text,
  webAddress,
} from './setting-kinds.ts'
import {
  ConfigError,
  type GivenOf,
  resolveTable,
  type SettingSpec,
  type ValuesOf,
  valuesFromEnv,
} from './setting-table.ts'

export { ConfigError } from './setting-table.ts'

const MIB = 1_048_576

export const settings = {
  port: { env: 'PORT', kind: integer(0, 65_535), default: 4040, doc: 'The TCP port; 0 selects a free port.' },
  host: { env: 'HOST', kind: text(1, 255), default: '0.0.0.0', doc: 'The address to listen on.' },
  dataDir: {
    env: 'DATA_DIR',
    kind: text(1, 4_096),
    default: './data',
    doc: 'The data folder; created if it does not exist.',
  },
  shards: {
    env: 'SHARDS',
    kind: integerOr(1, 32, 'inline'),
    default: () => Math.min(32, Math.max(1, availableParallelism() - 1)),
    defaultText: 'cores − 1, at most 32',
    unit: 'threads',
    doc: 'Threads that run groups and users; `inline` runs them on the main thread.',
  },
  durability: {
    env: 'DURABILITY',
    kind: oneOf('memory', 'process', 'disk'),
    default: 'process',
    doc: 'What an acknowledged change survives: `memory` nothing, `process` a crash of the process (`kill -9`), `disk` a loss of power.',
  },
  fanout: {
    env: 'FANOUT',
    kind: oneOf('immediate', 'committed'),
    default: 'immediate',
    doc: 'When other members receive an event: `immediate` at once, `committed` after it is durable.',
  },
  maxConnections: {
    env: 'MAX_CONNECTIONS',
    kind: integer(1, 1_000_000),
    default: 20_000,
    unit: 'sockets',
    doc: 'The limit of open sockets. Above it an upgrade is refused with 503.',
  },
  maxSessionsPerUser: {
    env: 'MAX_SESSIONS_PER_USER',
    kind: integer(1, 100_000),
    default: 16,
    unit: 'sockets',
    doc: 'The limit of sockets per user. Above it the socket that has been silent for longest is closed with 4409.',
  },
  maxUnauthenticatedBytes: {
    env: 'MAX_UNAUTHENTICATED_BYTES',
    kind: integer(65_536, 1_024 * MIB),
    default: 24 * MIB,
    unit: 'bytes',
    doc: 'The limit of what clients that are not authenticated can make the server hold; seven eighths of it for one address. Each counts with 16 KiB, with uWebSockets.js with 16 KiB more than `MAX_MESSAGE_BYTES`, a Socket.IO client with up to 6 MiB. Above it a new one replaces the oldest of the address that uses most, or is refused with 503 (429 for its address) while all are younger than a second.',
  },
  maxMessageBytes: {
    env: 'MAX_MESSAGE_BYTES',
    kind: integer(1_024, 16 * MIB),
    default: 65_536,
    unit: 'bytes',
    doc: 'The largest frame of a client; a larger one is answered `too_large`.',
  },
  maxUpload: {
    env: 'MAX_UPLOAD',
    kind: integer(1, 1_099_511_627_776),
    default: 100 * MIB,
    unit: 'bytes',
    doc: 'The largest file; a larger one is answered `too_large`.',
  },
  storageQuota: {
    env: 'STORAGE_QUOTA',
    kind: integer(0, 2 ** 50),
    default: 5 * 1024 * MIB,
    unit: 'bytes; 0 is no limit',
    doc: 'The limit for all files of one user together, including unfinished uploads; above it an upload is answered `quota_exceeded`.',
  },
  contactPolicy: {
    env: 'CONTACT_POLICY',
    kind: oneOf('open', 'request', 'shared', 'closed'),
    default: 'open',
    doc: 'Direct chats between users who share no group. `open`: delivered at once. `request`: shown in `get_invitations` until the other user accepts. `shared`: refused. `closed`: users cannot open direct chats; only the operator’s service can, by `engine.request` or over HTTP with a token that has the claim `tertulia_service: true`.',
  },
  maxGroupsPerUser: {
    env: 'MAX_GROUPS_PER_USER',
    kind: integer(0, 1_000_000),
    default: 10_000,
    unit: 'groups; 0 is no limit',
    doc: 'The limit of groups and direct chats per user. Above it the user cannot create, join or be added to another one: `limit_reached`. Concurrent requests in several groups are not counted together: each of them can exceed the limit by one.',
  },
  maxBackpressure: {
    env: 'MAX_BACKPRESSURE',
    kind: integer(65_536, 1_024 * MIB),
    default: MIB,
    unit: 'bytes',
    doc: 'The limit of unsent bytes for one socket. A socket that lags further is closed with 4008; its client reconnects and resumes.',
  },
  rateLimit: {
    env: 'RATE_LIMIT',
    kind: integer(0, 1_000_000),
    default: 100,
    unit: 'events per minute and user',
    doc: 'Requests above it are answered `rate_limited`. Separate budgets: reads (history, search, lists) 5 times as many; typing, receipts, signals and pings 10 times; file chunks 60 times; connections at least 100 per minute and user, and 100 times that per address. Some requests cost more than one event: docs/PROTOCOL.md. 0 means no limit.',
  },
  editWindowMs: {
    env: 'EDIT_WINDOW_MS',
    kind: integer(0, 1_000_000_000_000),
    default: 0,
    unit: 'ms',
    doc: 'How long a message can be edited. 0 means no limit.',
  },
  presenceGraceMs: {
    env: 'PRESENCE_GRACE_MS',
    kind: integer(0, 3_600_000),
    default: 5_000,
    unit: 'ms',
    doc: 'The delay between the end of a user’s last connection and `offline`, so that a short reconnect does not change the status.',
  },
  authFailureLimit: {
    env: 'AUTH_FAILURE_LIMIT',
    kind: integer(0, 1_000_000),
    default: 60,
    unit: 'failures per minute and address',
    doc: 'The limit of failed authentications; an address that reaches it is refused with 429. 0 means no limit.',
  },
  trustProxy: {
    env: 'TRUST_PROXY',
    kind: flag,
    default: false,
    doc: 'Use the last entry of `X-Forwarded-For` as the client’s address. Enable it only behind a proxy that sets this header.',
  },
  transport: {
    env: 'TRANSPORT',
    kind: oneOf('auto', 'uws', 'node'),
    default: 'auto',
    doc: 'The implementation of HTTP and WebSocket: `uws` is uWebSockets.js, `node` the built-in transport, `auto` uWebSockets.js if it loads, else the built-in transport.',
  },
  tlsCert: {
    env: 'TLS_CERT',
    kind: text(1, 4_096),
    default: undefined,
    doc: 'The PEM file of the certificate and its chain. With `TLS_KEY` the port serves https and wss.',
  },
  tlsKey: {
    env: 'TLS_KEY',
    kind: text(1, 4_096),
    default: undefined,
    doc: 'The PEM file of the certificate’s private key, without a passphrase.',
  },
  compression: {
    env: 'COMPRESSION',
    kind: oneOf('off', 'shared'),
    default: 'off',
    doc: '`shared`: permessage-deflate for frames of at least 1 KiB. It needs no memory per socket. With uWebSockets.js an event is compressed again for every receiving socket: suitable for small groups and slow networks, not for large groups.',
  },
  metricsToken: {
    env: 'METRICS_TOKEN',
    kind: bearer(16, 4_096),
    default: undefined,
    secret: true,
    doc: 'The Bearer token for `/metrics` and `/api/stats`. Without it both answer only requests from this machine.',
  },
  memoryLimit: {
    env: 'MEMORY_LIMIT',
    kind: integer(0, 1_099_511_627_776 * 1_024),
    default: 0,
    unit: 'bytes',
    doc: 'The memory limit shown in the metrics; it is not enforced. 0 means the container’s limit, or the machine’s memory.',
  },
  corsOrigins: {
    env: 'CORS_ORIGINS',
    kind: origins,
    default: [],
    defaultText: 'the server’s own',
    doc: 'Origins whose pages may use WebSocket and HTTP. Requests without an `Origin` header do not come from a browser page and are allowed.',
  },
  iceServers: {
    env: 'ICE_SERVERS',
    kind: iceServers,
    default: [],
    defaultText: 'none',
    secret: true,
    doc: 'STUN and TURN servers for calls. The page uses them, other clients get them from `GET /api/chat/ice-servers`. Every user with a token can read the credentials. Without servers calls connect within one network only.',
  },
  web: {
    env: 'WEB',
    kind: oneOf('on', 'off'),
    default: 'on',
    doc: 'Whether `/`, `/admin` and `/asyncapi` serve the chat page, the dashboard and the reference of the socket API, and `/mount.js` the page for yours.',
  },
  socketIo: {
    env: 'SOCKET_IO',
    kind: oneOf('on', 'off'),
    default: 'on',
    doc: 'Whether `/socket.io/` serves clients of Socket.IO 4 (docs/MIGRATING-FROM-SOCKET.IO.md).',
  },
  socketIoMessage: {
    env: 'SOCKET_IO_MESSAGE',
    kind: oneOf('both', 'nested', 'flat'),
    default: 'both',
    doc: 'Where `new_message` contains the message for Socket.IO clients: `flat` at the top, `nested` under `message`, `both` in both places.',
  },
  socketIoTimes: {
    env: 'SOCKET_IO_TIMES',
    kind: oneOf('iso', 'ms'),
    default: 'iso',
    doc: 'Times for Socket.IO clients: ISO 8601 texts, or milliseconds since 1970.',
  },
  socketIoLeave: {
    env: 'SOCKET_IO_LEAVE',
    kind: oneOf('screen', 'membership'),
    default: 'screen',
    doc: '`leave_group` of Socket.IO clients: `screen` is acknowledged and changes nothing, because apps send it when a chat closes; `membership` leaves the group.',
  },
  jwtSecret: {
    env: 'JWT_SECRET',
    kind: sharedSecret,
    default: undefined,
    secret: true,
    doc: 'The HS256 key. Outside production, if no key is set, one is created and stored in `DATA_DIR`.',
  },
  jwtPublicKey: {
    env: 'JWT_PUBLIC_KEY',
    kind: publicKeyPem,
    default: undefined,
    // A private key may be set here by mistake.
    secret: true,
    doc: 'The issuer’s public key: RS256 (RSA), ES256 (P-256) or EdDSA (Ed25519).',
  },
  jwtJwksUrl: {
    env: 'JWT_JWKS_URL',
    kind: webAddress,
    default: undefined,
    doc: 'The URL of the issuer’s key set: RS256, ES256, EdDSA.',
  },
  jwtIssuer: {
    env: 'JWT_ISSUER',
    kind: text(1, 2_048),
    default: undefined,
    doc: 'The required value of `iss`.',
  },
  jwtAudience: {
    env: 'JWT_AUDIENCE',
    kind: text(1, 2_048),
    default: undefined,
    doc: 'The audience that `aud` must contain.',
  },
  jwtUserClaim: {
    env: 'JWT_USER_CLAIM',
    kind: text(1, 256),
    default: 'sub',
    doc: 'The claim with the user’s id: a text of 1 to 128 bytes, or an integer.',
  },
  jwtNameClaim: {
    env: 'JWT_NAME_CLAIM',
    kind: text(1, 256),
    default: 'name',
    doc: 'The claim with the user’s name.',
  },
  jwtAdminClaim: {
    env: 'JWT_ADMIN_CLAIM',
    kind: text(1, 256),
    default: 'admin',
    doc: 'The claim of operators: a token in which it is `true` may use `/admin`. Change it if your issuer uses the name for something else.',
  },
  jwtLeeway: {
    env: 'JWT_LEEWAY',
    kind: integer(0, 300),
    default: 5,
    unit: 'seconds',
    doc: 'The tolerance for `exp` and `nbf`, because clocks differ.',
  },
  logLevel: {
    env: 'LOG_LEVEL',
    kind: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    default: 'info',
    doc: 'The lowest level that is logged; JSON on standard error.',
  },
  nodeEnv: {
    env: 'NODE_ENV',
    kind: text(1, 64),
    default: () => process.env['NODE_ENV'] || 'development',
    defaultText: 'development',
    doc: 'With `production` the server does not start without a key.',
  },
} satisfies Record<string, SettingSpec>

export type SettingName = keyof typeof settings

/** Every setting, validated, with the defaults filled in. */
export type Settings = ValuesOf<typeof settings>

/** Settings as given; missing or undefined ones get their default. */
export type GivenSettings = GivenOf<typeof settings>

/**
 * Parses the variables of the table; an empty one counts as not set.
 * @throws ConfigError for the first invalid one.
 */
export function settingsFromEnv(env: Readonly<Record<string, string | undefined>>): GivenSettings {
  return valuesFromEnv(settings, env)
}

/**
 * Validates the given settings and fills in the defaults. A process that checks no tokens needs no key.
 * @throws ConfigError for the first invalid setting, for two keys, and for a missing key in production.
 */
export function resolveSettings(given: GivenSettings, checksTokens = true): Settings {
  const all = resolveTable(settings, given)
  const keys = keysOf(all)
  if (keys.length > 1) {
    throw new ConfigError(`set only one of ${keys.map((name) => settings[name].env).join(' and ')}`)
  }
  if (keys.length === 0 && all.nodeEnv === 'production' && checksTokens) {
    throw new ConfigError(
      'NODE_ENV=production requires a key: set JWT_SECRET (at least 32 bytes), JWT_PUBLIC_KEY or JWT_JWKS_URL',
    )
  }
  if ((all.tlsCert === undefined) !== (all.tlsKey === undefined)) {
    throw new ConfigError('TLS_CERT and TLS_KEY must be set together')
  }
  return all
}

/** The settings of a key for tokens that have a value. */
export function keysOf(all: Settings): readonly SettingName[] {
  return (['jwtSecret', 'jwtPublicKey', 'jwtJwksUrl'] as const).filter((name) => all[name] !== undefined)
}
