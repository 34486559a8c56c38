/**
 * Work process: does one piece of work with one peer, reports its figures to the runner, and exits.
 *
 * It asks the runner to restart the server with a message `{restart}` and receives `{restarted}`.
 */
import { once } from 'node:events'
import { connectWork } from './works/connect.ts'
import { deployWork } from './works/deploy.ts'
import { jitterWork } from './works/jitter.ts'
import { largeGroupWork } from './works/large-group.ts'
import { slowMemberWork } from './works/slow-member.ts'
import { smallGroupsWork } from './works/small-groups.ts'
import { stormWork } from './works/storm.ts'
import type { Restart, Work, WorkInput } from './works/work.ts'

const works: Readonly<Record<string, Work>> = {
  connect: connectWork,
  large: largeGroupWork,
  small: smallGroupsWork,
  storm: stormWork,
  slow: slowMemberWork,
  jitter: jitterWork,
  deploy: deployWork,
}

// Exits when the runner does, for any reason.
process.on('disconnect', () => process.exit(1))

const restart: Restart = async (kind) => {
  process.send?.({ restart: kind })
  const [answer] = (await once(process, 'message')) as [
    { readonly restarted: { pid: number; awayMs: number } },
  ]
  return answer.restarted
}

const [name = '', input = '{}'] = process.argv.slice(2)
const work = works[name]
if (!work) throw new Error(`no work ${name}`)
const figures = await work(JSON.parse(input) as WorkInput, restart)
process.send?.({ figures }, () => process.exit(0))
