#!/usr/bin/env -S node --max-semi-space-size=2 --v8-pool-size=0
/**
 * The `tertulia` command: the command line of cli.ts, with this process's arguments and streams.
 *
 * The two arguments to Node, which `npm start` gives it too: `heap-size.ts` says what the first is
 * for; by the second V8 gets as many helper threads as the machine has cores to spare, not four.
 * On few cores those that mark a shard's heap would take the cores from all who carry messages.
 */
import './heap-size.ts'

import { runCli } from './cli.ts'

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
})
