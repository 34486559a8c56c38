/**
 * Work table: the pieces of work, what they ask, and the columns of their tables.
 */

/** One column: a figure by its name. */
export interface Column {
  readonly figure: string
  readonly head: string
  readonly digits: number
  /** The figure with the cores that the load used meanwhile: near 1, the load is the limit. */
  readonly load?: string
}

/** A bar chart of one figure, or of several as groups of bars. */
export interface ChartPlan {
  readonly file: string
  readonly title: string
  readonly figures: readonly { readonly figure: string; readonly name: string }[]
  readonly unit: string
  readonly isLogarithmic?: boolean
}

export interface WorkRow {
  readonly title: string
  readonly question: string
  readonly columns: readonly Column[]
  readonly charts: readonly ChartPlan[]
  /** Members recover what they missed. */
  readonly recovers: boolean
}

const RATES = [1_000, 5_000, 20_000] as const
const rateName = (rate: number) => `${rate.toLocaleString('en')}/s`

export const workTable: Readonly<Record<string, WorkRow>> = {
  connect: {
    title: 'Connect, and memory at rest',
    question:
      'Members of groups of ten connect, 256 at a time; each connection checks a token and subscribes to its group. ' +
      'Memory is the growth of the resident set of the server by connection, between two times that it had been idle ' +
      'for 30 seconds; 500 others have connected and left before. Then one post in each group has to arrive at all its members.',
    columns: [
      { figure: 'connections/s', head: 'connections/s', digits: 0, load: 'load cores' },
      { figure: 'server CPU ms', head: 'CPU ms each', digits: 3 },
      { figure: 'KiB', head: 'KiB each, idle', digits: 1 },
      { figure: 'refused', head: 'attempts refused', digits: 0 },
      { figure: 'closed', head: 'closed', digits: 0 },
      { figure: 'missing', head: 'missing', digits: 0 },
    ],
    charts: [
      {
        file: 'connect',
        title: 'Connections a second',
        unit: 'connections/s',
        figures: [{ figure: 'connections/s', name: '' }],
      },
      {
        file: 'memory',
        title: 'Memory of an idle connection',
        unit: 'KiB',
        figures: [{ figure: 'KiB', name: '' }],
      },
    ],
    recovers: false,
  },
  large: {
    title: 'One group of 1,000',
    question:
      'Closed loop: the next post leaves when the one before is acknowledged, or, where a peer acknowledges nothing, ' +
      'when its sender has received it; with 1 and with 16 under way. CPU is that of the server, all threads.',
    columns: [1, 16].flatMap((inFlight) => [
      {
        figure: `deliveries/s, ${inFlight}`,
        head: `deliveries/s, ${inFlight} in flight`,
        digits: 0,
        load: `load cores, ${inFlight}`,
      },
      { figure: `CPU s/million, ${inFlight}`, head: 'CPU s per million', digits: 2 },
      { figure: `missing, ${inFlight}`, head: 'missing', digits: 0 },
    ]),
    charts: [
      {
        file: 'large-group',
        title: 'One group of 1,000, 16 posts in flight',
        unit: 'deliveries/s',
        figures: [{ figure: 'deliveries/s, 16', name: '' }],
      },
      {
        file: 'cpu',
        title: 'Processor time of the server for a million deliveries',
        unit: 'seconds',
        figures: [{ figure: 'CPU s/million, 16', name: '' }],
      },
    ],
    recovers: false,
  },
  small: {
    title: 'Groups of 10',
    question:
      'Open schedule: posts are due at 1,000, 5,000 and 20,000 a second, whatever became of those before, and each ' +
      'delivery is timed from the moment at which its post was due. “Highest rate” is the highest with a p99 under ' +
      '50 ms and nothing missing. A dash: not tried, because the rate before was already too much.',
    columns: [
      ...RATES.flatMap((rate) => [
        {
          figure: `p50 ms, ${rate}`,
          head: `p50 ms at ${rateName(rate)}`,
          digits: 1,
          load: `load cores, ${rate}`,
        },
        { figure: `p99 ms, ${rate}`, head: 'p99', digits: 1 },
        { figure: `p99.9 ms, ${rate}`, head: 'p99.9', digits: 1 },
        { figure: `missing, ${rate}`, head: 'missing', digits: 0 },
      ]),
      { figure: 'CPU s/million, 1000', head: `CPU s per million at ${rateName(1_000)}`, digits: 1 },
      { figure: 'CPU s/million, 5000', head: `at ${rateName(5_000)}`, digits: 1 },
      { figure: 'highest rate', head: 'highest rate', digits: 0 },
    ],
    charts: [
      {
        file: 'small-groups',
        title: 'Groups of 10: p99 from the intended time',
        unit: 'ms',
        isLogarithmic: true,
        figures: RATES.map((rate) => ({ figure: `p99 ms, ${rate}`, name: rateName(rate) })),
      },
    ],
    recovers: false,
  },
  storm: {
    title: 'Reconnect storm',
    question:
      'The server is killed (`kill -9`) with all members connected, and started again at once. Each member reconnects ' +
      'within a second, and again 0.3 to 1 s after a failed attempt. The time counts from the moment at which the new ' +
      'process listens. Then one post in each group has to arrive at all its members.',
    columns: [
      { figure: 's until all live', head: 's until all live', digits: 2, load: 'load cores' },
      { figure: 's away', head: 's until it listens', digits: 2 },
      { figure: 'failed attempts', head: 'failed attempts', digits: 0 },
      { figure: 'server CPU s', head: 'CPU s', digits: 2 },
      { figure: 'missing', head: 'missing', digits: 0 },
    ],
    charts: [
      {
        file: 'storm',
        title: 'Reconnect storm: until all are live',
        unit: 'seconds',
        figures: [{ figure: 's until all live', name: '' }],
      },
    ],
    recovers: false,
  },
  slow: {
    title: 'A member who stops reading',
    question:
      'One of a group of ten stops reading while 1,000 posts of 4 KB a second go to the group. Shown is the p99 of the ' +
      'others before and meanwhile, how much the resident set of the server grows, and how many posts the member has ' +
      'missed after it reads again, or has reconnected and recovered.',
    columns: [
      { figure: 'p99 ms before', head: 'p99 ms before', digits: 1 },
      { figure: 'p99 ms during', head: 'p99 ms during', digits: 1, load: 'load cores' },
      { figure: 'MiB more', head: 'MiB more', digits: 0 },
      { figure: 'slow closed', head: 'connection closed', digits: 0 },
      { figure: 'slow missed', head: 'missed by it', digits: 0 },
      { figure: 'missing', head: 'missing at others', digits: 0 },
    ],
    charts: [],
    recovers: true,
  },
  jitter: {
    title: 'Jitter',
    question:
      'Members in one group, each cut every 15 s and away for 2 s; another member posts twice a second (2,000 members ' +
      'and 120 posts; with `--quick` 500 and 20). The latency counts from the intended time, so that the 2 s away are in it.',
    columns: [
      { figure: 'lost', head: 'lost', digits: 0 },
      { figure: 'lost %', head: 'lost %', digits: 2 },
      { figure: 'twins', head: 'twins', digits: 0 },
      { figure: 'p50 ms', head: 'p50 ms', digits: 1, load: 'load cores' },
      { figure: 'p99 ms', head: 'p99 ms', digits: 0 },
      { figure: 'server CPU s', head: 'CPU s', digits: 2 },
    ],
    charts: [
      {
        file: 'jitter',
        title: 'Jitter: deliveries lost',
        unit: '%',
        figures: [{ figure: 'lost %', name: '' }],
      },
    ],
    recovers: true,
  },
  deploy: {
    title: 'Deploy',
    question:
      'The server is stopped (SIGTERM) and started again with its data, while 1,000 members in groups of ten receive 200 ' +
      'posts a second. A post that is due while its sender is away waits; one without an acknowledgement is sent again, ' +
      'where a peer acknowledges. With fronts, nothing is stopped: `tertulia deploy` replaces the processes in turn.',
    columns: [
      { figure: 'sockets closed', head: 'sockets closed', digits: 0 },
      { figure: 'lost', head: 'lost', digits: 0 },
      { figure: 'twins', head: 'twins', digits: 0 },
      { figure: 's until all live', head: 's until all live', digits: 2 },
      { figure: 'p99 ms', head: 'p99 ms', digits: 0, load: 'load cores' },
    ],
    charts: [
      {
        file: 'deploy',
        title: 'Deploy: deliveries lost',
        unit: 'deliveries',
        figures: [{ figure: 'lost', name: '' }],
      },
    ],
    recovers: true,
  },
}
