import { startDocker } from './engines/docker.ts'
import { ROWS, type Row } from './rows.ts'
import { matrixSuite } from './suite.ts'
import { COLUMNS, type Column } from './support/builds.ts'

/** Rows with all builds, those that take long as well. */
const THOROUGH: ReadonlySet<string> = new Set([
  'privileged, store in the container',
  'default, root',
])

describe('a part of the builds in containers', () => {
  matrixSuite(startDocker, ROWS, someColumns)
})

/** Two of the small builds, so that rows that stand together have all of them. */
function someColumns(row: Row): readonly Column[] {
  if (THOROUGH.has(row.name)) return COLUMNS
  const small = COLUMNS.filter((column) => column !== 'compile' && column !== 'apt')
  const at = ROWS.indexOf(row)
  return small.filter(
    (_, index) => index === at % small.length || index === (at + 3) % small.length,
  )
}
