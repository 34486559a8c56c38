/**
 * Load process: runs one case, reports its result to the runner, and exits.
 */
import type { Case, CaseInput } from '../cases/case.ts'
import { connectCase } from '../cases/connect.ts'
import { costGrowthCase } from '../cases/cost-growth.ts'
import { ingestCase } from '../cases/ingest.ts'
import { largeGroupCase } from '../cases/large-group.ts'
import { manyGroupsCase } from '../cases/many-groups.ts'
import { readingCase } from '../cases/reading.ts'
import { searchCase } from '../cases/search.ts'
import { smallGroupsCase } from '../cases/small-groups.ts'

/** The cases by name. */
const cases: Readonly<Record<string, Case>> = {
  connect: connectCase,
  'many-groups': manyGroupsCase,
  'small-groups': smallGroupsCase,
  'large-group': largeGroupCase,
  ingest: ingestCase,
  'cost-growth': costGrowthCase,
  reading: readingCase,
  search: searchCase,
}

// Exits when the runner does, for any reason.
process.on('disconnect', () => process.exit(1))

const [name = '', input = '{}'] = process.argv.slice(2)
const run = cases[name]
if (!run) throw new Error(`no case ${name}`)
const figures = await run(JSON.parse(input) as CaseInput)
process.send?.(figures, () => process.exit(0))
