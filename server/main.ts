#!/usr/bin/env -S node --max-semi-space-size=2
/**
 * The `tertulia` command: the command line of cli.ts, with this process's arguments and streams.
 */
import './heap-size.ts'

import { runCli } from './cli.ts'

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
})
