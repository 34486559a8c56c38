/**
 * Command line: parses the arguments by the table of cli-help.ts and runs the command. Exit codes: 0
 * success, 1 failure (one line on standard error has the reason), 2 invalid arguments (standard error
 * shows the usage).
 */
import { parseArgs } from 'node:util'
import { version } from '../engine/version.ts'
import { backup } from './backup-command.ts'
import {
  type CommandName,
  type CommandSpec,
  commandHelp,
  commands,
  fullHelp,
  isCommand,
  usageOf,
} from './cli-help.ts'
import { deploy } from './fronts/deploy-command.ts'
import type { Role } from './fronts/role-command.ts'
import { importFile } from './import/import-command.ts'
import { type CommandContext, serve } from './serve.ts'
import { settingOfOption } from './settings-reference.ts'
import { stats } from './stats-command.ts'
import { token } from './token-command.ts'
import { transportLine } from './transport-line.ts'
import { UsageError } from './usage-error.ts'

const DEFAULT_URL = 'http://localhost:4040'

interface Arguments {
  readonly command: CommandName
  readonly argument: string | undefined
  readonly values: Readonly<Record<string, string | true>>
}

/** Runs one command; resolves with the exit code when it has finished. */
export async function runCli(args: readonly string[], context: CommandContext): Promise<number> {
  try {
    const text = await informationOf(args, context)
    if (text !== null) {
      context.out(text)
      return 0
    }
    return await run(read(args), context)
  } catch (error) {
    if (error instanceof UsageError) {
      context.err(`${error.message}\nSee tertulia --help.`)
      return 2
    }
    context.err(`tertulia: ${error instanceof Error ? error.message : String(error)}`)
    return 1
  }
}

/** The output of `--help`, `help` and `--version`; null for other arguments. */
async function informationOf(args: readonly string[], { env }: CommandContext): Promise<string | null> {
  const [first = '', second] = args
  if (args.includes('--version') || args.includes('-v')) return `${version}\n${await transportLine(env)}`
  const asked = first === 'help' ? second : args.includes('--help') || args.includes('-h') ? first : null
  if (asked === null) return null
  if (asked !== undefined && isCommand(asked)) return commandHelp(asked)
  if (first === 'help' && asked !== undefined) throw unknownCommand(asked)
  return fullHelp()
}

function run({ command, argument, values }: Arguments, context: CommandContext): Promise<number> {
  switch (command) {
    case 'serve':
      return serve(context, roleOf(values))
    case 'deploy':
      return deploy(values['engine-only'] === true, context)
    case 'token':
      return token(
        {
          user: String(values['user']),
          name: textOf(values['name']),
          ttl: textOf(values['ttl']),
          admin: values['admin'] === true,
        },
        context,
      )
    case 'backup':
      return backup(argument as string, context)
    case 'import':
      return importFile(argument as string, context)
    case 'stats':
      return stats(argument ?? DEFAULT_URL, context, values['watch'] ? untilInterrupted() : null)
  }
}

/** @throws UsageError if the options of a role are not complete */
function roleOf(values: Arguments['values']): Role | null {
  const [role, listen, engine] = [textOf(values['role']), textOf(values['listen']), textOf(values['engine'])]
  if (role === 'engine' && listen !== undefined && engine === undefined) return { role, listen }
  if (role === 'front' && engine !== undefined && listen === undefined) return { role, engine }
  if (role === undefined && listen === undefined && engine === undefined) return null
  throw new UsageError(
    'the roles are: --role engine --listen ADDRESS, and --role front --engine ADDRESS; example: tertulia serve --role engine --listen unix:./link.sock',
  )
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: optionTypes,
  })
}

/** @throws UsageError if the command's row does not allow an argument */
function read(args: readonly string[]): Arguments {
  const { tokens } = parse(args)
  requireNoSettings(args, tokens)
  const positionals = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []))
  const [command = 'serve', ...given] = positionals
  if (!isCommand(command)) throw unknownCommand(command)
  const { argument, options }: CommandSpec = commands[command]
  const values: Record<string, string | true> = {}
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined
    if (!option) throw new UsageError(`unknown option: ${token.rawName}; usage: ${usageOf(command)}`)
    if (option.value !== undefined && token.value === undefined)
      throw new UsageError(`${token.rawName} requires a value; usage: ${usageOf(command)}`)
    if (option.value === undefined && token.value !== undefined)
      throw new UsageError(`${token.rawName} does not accept a value; usage: ${usageOf(command)}`)
    values[token.name] = token.value ?? true
  }
  if (given.length > (argument ? 1 : 0))
    throw new UsageError(`unexpected argument: ${given.at(-1)}; usage: ${usageOf(command)}`)
  if (argument?.required && given.length === 0)
    throw new UsageError(`${command} requires ${argument.name}; usage: ${usageOf(command)}`)
  if (command === 'token' && values['user'] === undefined)
    throw new UsageError('token requires --user ID; example: tertulia token --user ana')
  return { command, argument: given[0], values }
}

function unknownCommand(name: string): UsageError {
  return new UsageError(`unknown command: ${name}; commands: ${Object.keys(commands).join(', ')}`)
}

const optionTypes = Object.fromEntries(
  Object.values<CommandSpec>(commands).flatMap(({ options }) =>
    Object.entries(options).map(
      ([name, { value }]) => [name, { type: value === undefined ? 'boolean' : 'string' }] as const,
    ),
  ),
)

/** Rejects settings given as options, such as `--port 5000`. @throws UsageError that names the variable */
function requireNoSettings(
  [first = '']: readonly string[],
  tokens: ReturnType<typeof parse>['tokens'],
): void {
  for (const [at, token] of tokens.entries()) {
    const setting = token.kind === 'option' ? settingOfOption(token.name) : undefined
    if (token.kind !== 'option' || !setting) continue
    const next = tokens[at + 1]
    const value = token.value ?? (next?.kind === 'positional' ? next.value : '…')
    const written = `${setting.env}=${setting.secret ? '…' : value} tertulia ${isCommand(first) ? first : 'serve'}`
    throw new UsageError(`${token.rawName} is not an option; set the environment variable: ${written}`)
  }
}

function textOf(value: string | true | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort())
  return interrupted.signal
}
