import { startDocker } from './engines/docker.ts'
import { DOCKER_ROWS } from './rows/docker-rows.ts'
import type { Row } from './rows/row.ts'
import { matrixSuite } from './suite.ts'
import { COLUMNS, type Column } from './support/builds.ts'

/** All but those that take long. */
const SMALL = COLUMNS.filter((column) => column !== 'compile' && column !== 'apt')

/** Rows that differ most. */
const CHOSEN: Readonly<Record<string, readonly Column[]>> = {
  'privileged, store in the container': ['run', 'changes'],
  'unconfined, root': ['changes', 'mounts'],
  'default, root': [...SMALL, 'apt'],
}

describe('a part of the builds in containers', () => {
  matrixSuite(startDocker, DOCKER_ROWS, someColumns)
})

/** A small build for each row, so that neighbours together have all. */
function someColumns(row: Row): readonly Column[] {
  const at = DOCKER_ROWS.indexOf(row) % SMALL.length
  return CHOSEN[row.name] ?? SMALL.slice(at, at + 1)
}
