#!/usr/bin/env -S node --max-semi-space-size=2 --v8-pool-size=0
/**
 * The `tertulia` command: runs cli.ts with the arguments and streams of this process.
 *
 * `npm start` passes the same two arguments to Node. The first is explained in `heap-size.ts`. With the
 * second, V8 uses as many helper threads as the machine has spare cores instead of four: on few cores the
 * threads that mark a shard's heap would compete with the threads that deliver messages.
 */
import './heap-size.ts'

import { runCli } from './cli.ts'
import { isCommand } from './cli-help.ts'

const isServer = (process.argv.slice(2).find(isCommand) ?? 'serve') === 'serve'
// A server continues when nobody reads its output, or a disk is full. Other commands have nothing else to do.
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  if (isServer) return
  if (code !== 'EPIPE') process.stderr.write(`tertulia: the output cannot be written: ${message}\n`)
  process.exit(1)
})
process.stderr.on('error', () => {})

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
})
