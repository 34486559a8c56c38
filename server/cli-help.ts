/**
 * CLI help: the commands in one table, and the texts of `--help` that follow from it.
 */
import { settingsHelp } from './config.ts'

export interface CommandOption {
  /** What stands for the value in the help; an option without one is a flag. */
  readonly value?: string
  readonly doc: string
}

export interface CommandSpec {
  readonly summary: string
  /** What follows the command's name. */
  readonly argument?: { readonly name: string; readonly required: boolean }
  readonly options: Readonly<Record<string, CommandOption>>
  readonly detail: string
  readonly example: string
}

/** What `--ttl` is where it is not given. */
export const DEFAULT_TTL = '12h'

export const commands = {
  serve: {
    summary: 'starts the server; the default',
    options: {},
    detail: `Starts from the environment variables below and stops on SIGTERM or SIGINT.
Outside production a secret for tokens is made in DATA_DIR where no key is set.`,
    example: 'PORT=5000 DATA_DIR=/var/lib/tertulia tertulia serve',
  },
  token: {
    summary: 'prints a token for one user',
    options: {
      user: { value: 'ID', doc: 'whom the token is for; required' },
      name: { value: 'NAME', doc: 'the name that others see' },
      ttl: { value: 'TIME', doc: `how long it lasts: 30m, ${DEFAULT_TTL} (default), 7d` },
    },
    detail: `Signs with JWT_SECRET, or with the secret that the server made in its DATA_DIR: run it in the
server's folder, or with the server's DATA_DIR or JWT_SECRET.`,
    example: 'tertulia token --user ana --name Ana',
  },
  backup: {
    summary: 'copies the database and the files of DATA_DIR, while the server runs',
    argument: { name: 'FILE', required: true },
    options: {},
    detail: `FILE is one moment of the database, checked; the files go to FILE.files. Nothing is overwritten.
To restore, with the server stopped: make a new data folder, put FILE there as tertulia.db and
FILE.files as files.`,
    example: 'DATA_DIR=/var/lib/tertulia tertulia backup /backup/chat.db',
  },
  stats: {
    summary: 'prints the figures of a running server',
    argument: { name: 'URL', required: false },
    options: { watch: { doc: 'again every two seconds' } },
    detail: 'URL is http://localhost:4040 where it is left off. Sends METRICS_TOKEN where it is set.',
    example: 'tertulia stats https://chat.example --watch',
  },
} as const satisfies Record<string, CommandSpec>

export type CommandName = keyof typeof commands

const rows = Object.entries(commands) as [CommandName, CommandSpec][]

export function isCommand(name: string): name is CommandName {
  return Object.hasOwn(commands, name)
}

/** How a command is written: `tertulia backup FILE`. */
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
    ([option, { value = '', doc }]) => `  ${`--${option} ${value}`.padEnd(14)} ${doc}`,
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
        ([option, { value = '', doc }]) => `      ${`--${option} ${value}`.padEnd(14)} ${doc}`,
      ),
    ]),
    '  tertulia --version',
    '  tertulia COMMAND --help',
    '      more about one command',
    '',
    'Exit codes: 0 done; 1 it did not work, one line on standard error says why; 2 the command was',
    'not understood.',
    '',
    'Settings are environment variables, no options: PORT=5000 tertulia serve. The token command signs',
    'with the same settings.',
    '',
    settingsHelp(),
  ].join('\n')
}
