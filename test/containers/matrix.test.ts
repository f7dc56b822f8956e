import { startDocker } from './engines/docker.ts'
import { DOCKER_ROWS } from './rows/docker-rows.ts'
import type { Row } from './rows/row.ts'
import { matrixSuite } from './suite.ts'
import { COLUMNS, type Column } from './support/builds.ts'

/** Rows whose builds are chosen by hand, those that take long among them. */
const CHOSEN: Readonly<Record<string, readonly Column[]>> = {
  'default, root': COLUMNS,
  'privileged, store in the container': ['changes', 'apt'],
}

/** All but those that take long. */
const SMALL = COLUMNS.filter((column) => column !== 'compile' && column !== 'apt')

describe('a part of the builds in containers', () => {
  matrixSuite(startDocker, DOCKER_ROWS, someColumns)
})

/** Two of the small builds, or one without a capability, so that neighbours together have all. */
function someColumns(row: Row): readonly Column[] {
  const at = DOCKER_ROWS.indexOf(row)
  const second = row.name.includes(' without ') ? at : at + 3
  return (
    CHOSEN[row.name] ??
    SMALL.filter((_, index) => [at, second].some((n) => n % SMALL.length === index))
  )
}
