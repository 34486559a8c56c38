/**
 * Talkers process: one of the load processes; it does what the runner says, one task after the other.
 */
import { Talkers } from './talkers.ts'

export interface TalkersInput {
  readonly port: number
  readonly secret: string
  /** The first three numbers of its source addresses. */
  readonly network: string
  readonly from: number
}

export type Task =
  | { readonly task: 'connect'; readonly count: number }
  | { readonly task: 'createGroups' }
  | { readonly task: 'startSending'; readonly perSecond: number }
  | { readonly task: 'stopSending' }
  | { readonly task: 'pingAll' }
  | { readonly task: 'verdict' }

// Ends when the runner does, for any reason.
process.on('disconnect', () => process.exit(1))

const { network, from, ...target } = JSON.parse(process.argv[2] ?? '{}') as TalkersInput
const talkers = new Talkers(target, network, from)

process.on('message', async (message: Task) => {
  try {
    process.send?.({ result: (await run(message)) ?? null })
  } catch (error) {
    process.send?.({ error: (error as Error).message })
  }
})

function run(task: Task): unknown {
  switch (task.task) {
    case 'connect':
      return talkers.connect(task.count)
    case 'startSending':
      return talkers.startSending(task.perSecond)
    default:
      return talkers[task.task]()
  }
}
