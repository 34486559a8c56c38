/**
 * CLI help: the table of commands, and the `--help` texts derived from it.
 */
import { settingsHelp } from './settings-reference.ts'

export interface CommandOption {
  /** The placeholder for the value in the help; an option without one is a flag. */
  readonly value?: string
  readonly doc: string
}

export interface CommandSpec {
  readonly summary: string
  /** The argument after the command's name. */
  readonly argument?: { readonly name: string; readonly required: boolean }
  readonly options: Readonly<Record<string, CommandOption>>
  readonly detail: string
  readonly example: string
}

/** The default of `--ttl`. */
export const DEFAULT_TTL = '12h'

export const commands = {
  serve: {
    summary: 'starts the server; the default',
    options: {
      role: { value: 'ROLE', doc: 'only a part of the server: engine or front; both need LINK_KEY' },
      listen: { value: 'ADDRESS', doc: 'with --role engine: where it listens for fronts' },
      engine: { value: 'ADDRESS', doc: 'with --role front: where its engine listens' },
    },
    detail: `Starts from the environment variables below and stops on SIGTERM or SIGINT.
Outside production, if no key is set, a secret for tokens is created in DATA_DIR.
With FRONTS it starts an engine and fronts as processes; docs/FRONTS.md describes these and the roles.
An ADDRESS is unix:/path, tcp://host:port or tls://host:port.`,
    example: 'PORT=5000 DATA_DIR=/var/lib/tertulia tertulia serve',
  },
  deploy: {
    summary: 'replaces the processes of a running server with FRONTS by what is installed now',
    options: { 'engine-only': { doc: 'replaces the engine: no connection is closed' } },
    detail: `Replaces the engine, then the fronts one after the other; each client reconnects once. SIGHUP does the
same. If a new process does not start, the old ones continue and the exit code is 1.`,
    example: 'DATA_DIR=/var/lib/tertulia tertulia deploy',
  },
  token: {
    summary: 'prints a token for one user',
    options: {
      user: { value: 'ID', doc: 'the user that the token identifies; required' },
      name: { value: 'NAME', doc: 'the user’s display name' },
      admin: { doc: 'the user may use the dashboard at /admin' },
      ttl: { value: 'TIME', doc: `lifetime, such as 30m, ${DEFAULT_TTL} (default) or 7d` },
    },
    detail: `Signs with JWT_SECRET, or with the secret that the server created in its DATA_DIR. Run it in the
server's folder, or set the server's DATA_DIR or JWT_SECRET.`,
    example: 'tertulia token --user ana --name Ana',
  },
  backup: {
    summary: 'copies the database and the files of DATA_DIR, while the server runs',
    argument: { name: 'FILE', required: true },
    options: {},
    detail: `FILE is a checked copy of the database at one point in time; uploaded files are copied to FILE.files.
Existing files are not overwritten. To restore, stop the server, create a new data folder, and put
FILE there as tertulia.db and FILE.files as files.`,
    example: 'DATA_DIR=/var/lib/tertulia tertulia backup /backup/chat.db',
  },
  import: {
    summary: 'imports groups, members and messages of another system into DATA_DIR',
    argument: { name: 'FILE', required: true },
    options: {},
    detail: `FILE has one JSON object per line; docs/IMPORT.md describes them. Stop the server before. A run that
was interrupted continues when it is repeated; nothing is imported twice.`,
    example: 'DATA_DIR=/var/lib/tertulia tertulia import history.ndjson',
  },
  stats: {
    summary: 'prints the statistics of a running server',
    argument: { name: 'URL', required: false },
    options: { watch: { doc: 'repeat every two seconds' } },
    detail: 'The default URL is http://localhost:4040. Sends METRICS_TOKEN if it is set.',
    example: 'tertulia stats https://chat.example --watch',
  },
} as const satisfies Record<string, CommandSpec>

export type CommandName = keyof typeof commands

const rows = Object.entries(commands) as [CommandName, CommandSpec][]

export function isCommand(name: string): name is CommandName {
  return Object.hasOwn(commands, name)
}

/** The usage line of a command: `tertulia backup FILE`. */
export function usageOf(name: CommandName): string {
  const { argument, options }: CommandSpec = commands[name]
  const shown = argument ? [argument.required ? argument.name : `[${argument.name}]`] : []
  for (const [option, { value }] of Object.entries(options)) {
    const written = value === undefined ? `--${option}` : `--${option} ${value}`
    shown.push(option === 'user' ? written : `[${written}]`)
  }
  return ['tertulia', name, ...shown].join(' ')
}

/** The help of one command. */
export function commandHelp(name: CommandName): string {
  const { summary, options, detail, example }: CommandSpec = commands[name]
  const described = Object.entries(options).map(
    ([option, { value = '', doc }]) => `  ${`--${option} ${value}`.padEnd(18)} ${doc}`,
  )
  return [
    `${usageOf(name)}: ${summary}`,
    ...(described.length > 0 ? ['', ...described] : []),
    '',
    detail,
    '',
    `Example: ${example}`,
    ...(name === 'serve' ? ['', 'Environment variables:', '', settingsHelp()] : []),
  ].join('\n')
}

/** The help of all commands, with every setting. */
export function fullHelp(): string {
  return [
    'tertulia: a chat server',
    '',
    ...rows.flatMap(([name, { summary, options }]: [CommandName, CommandSpec]) => [
      `  ${usageOf(name)}`,
      `      ${summary}`,
      ...Object.entries(options).map(
        ([option, { value = '', doc }]) => `      ${`--${option} ${value}`.padEnd(18)} ${doc}`,
      ),
    ]),
    '  tertulia --version',
    '  tertulia COMMAND --help',
    '      shows the help of one command',
    '',
    'Exit codes: 0 success; 1 failure, with the reason in one line on standard error; 2 invalid',
    'arguments.',
    '',
    'Settings are environment variables, not options: PORT=5000 tertulia serve. The token command uses',
    'the same settings.',
    '',
    settingsHelp(),
  ].join('\n')
}
