/**
 * Command line: `tertulia serve`, `token`, `backup` and `stats`. Exit codes: 0 done, 1 it did not
 * work (one line on standard error says why), 2 the command was not understood.
 */
import { parseArgs } from 'node:util'
import { version } from '../protocol/version.ts'
import { backup } from './backup-command.ts'
import { ConfigError, resolveSettings, settingsFromEnv } from './config.ts'
import { type CommandContext, serve } from './serve.ts'
import { stats } from './stats-command.ts'
import { makeToken } from './token.ts'

const HELP = `tertulia: a chat server

  tertulia serve                        starts the server (the default)
  tertulia token --user ID              prints a token for that user
      --name NAME                       the name that others see
      --ttl TIME                        how long it lasts: 30m, 12h (default), 7d
  tertulia backup FILE                  copies the database of DATA_DIR to FILE, while the server runs
  tertulia stats [URL]                  prints the figures of the server there (http://localhost:4040)
      --watch                           again every two seconds
  tertulia --help | --version

A backup is one moment of the database, checked, and the files in FILE.files; nothing is
overwritten. To restore, with the server stopped: make a new data folder, put FILE there as
tertulia.db and FILE.files as files. stats takes the token of METRICS_TOKEN, if it is set.

Settings come from environment variables: PORT, HOST, DATA_DIR, JWT_SECRET and more; the README
lists them all. Outside production a secret for tokens is made where none is set.`

const DEFAULT_TTL = '12h'
const DEFAULT_URL = 'http://localhost:4040'
const TTL_UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }
const MAX_TTL_SECONDS = 10 * 365 * 86_400

/** Runs one command; resolves with the exit code once it is done. */
export async function runCli(args: readonly string[], context: CommandContext): Promise<number> {
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse(args)
  } catch (error) {
    context.err(`${error instanceof Error ? error.message : String(error)}\nSee tertulia --help.`)
    return 2
  }
  const { values, positionals } = parsed
  if (values.help) {
    context.out(HELP)
    return 0
  }
  if (values.version) {
    context.out(version)
    return 0
  }
  const [command = 'serve', argument, ...rest] = positionals
  const run = rest.length === 0 ? commandOf(command, argument, values, context) : null
  if (!run) {
    context.err(`there is no command ${positionals.join(' ')}\nSee tertulia --help.`)
    return 2
  }
  try {
    return await run()
  } catch (error) {
    context.err(`tertulia: ${error instanceof Error ? error.message : String(error)}`)
    return 1
  }
}

/** What runs the command, or null where there is none with that argument. */
function commandOf(
  command: string,
  argument: string | undefined,
  values: TokenValues & { readonly watch?: boolean | undefined },
  context: CommandContext,
): (() => Promise<number>) | null {
  if (command === 'stats') {
    return () => stats(argument ?? DEFAULT_URL, context, values.watch ? untilInterrupted() : null)
  }
  if (command === 'backup' && argument !== undefined) return () => backup(argument, context)
  if (argument !== undefined) return null
  if (command === 'serve') return () => serve(context)
  return command === 'token' ? () => token(values, context) : null
}

function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort())
  return interrupted.signal
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      user: { type: 'string' },
      name: { type: 'string' },
      ttl: { type: 'string' },
      watch: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
    },
  })
}

interface TokenValues {
  readonly user?: string | undefined
  readonly name?: string | undefined
  readonly ttl?: string | undefined
}

async function token(values: TokenValues, context: CommandContext): Promise<number> {
  if (values.user === undefined) throw new ConfigError('token needs --user ID')
  const settings = resolveSettings(settingsFromEnv(context.env))
  const ttlSeconds = secondsOf(values.ttl ?? DEFAULT_TTL)
  context.out(await makeToken(settings, { userId: values.user, name: values.name, ttlSeconds }))
  return 0
}

function secondsOf(ttl: string): number {
  const [, amount, unit] = /^(\d{1,9})([smhd])$/.exec(ttl) ?? []
  const seconds = Number(amount) * (TTL_UNITS[unit ?? ''] ?? Number.NaN)
  if (!(seconds >= 1 && seconds <= MAX_TTL_SECONDS))
    throw new ConfigError('--ttl takes a time such as 30m, 12h or 7d')
  return seconds
}
