import { COLUMNS } from './columns.ts'
import { startDocker } from './engines/docker.ts'
import { ROWS } from './rows.ts'
import { type Cell, matrixSuite } from './suite.ts'

/** The builds that take long are done in the rows that differ most. */
const THOROUGH: ReadonlySet<string> = new Set([
  'privileged, store in the container',
  'default, root',
])

/** Each row has two of the small builds, so that neighbours together have all of them. */
const CUT: readonly Cell[] = ROWS.flatMap((row, at) => {
  const small = COLUMNS.slice(0, -2)
  const columns = [small[at % small.length] ?? 'run', small[(at + 3) % small.length] ?? 'run']
  return (THOROUGH.has(row.name) ? COLUMNS : columns).map((column) => ({ row, column }))
})

describe('a part of the builds in containers', () => {
  matrixSuite(startDocker, CUT)
})
