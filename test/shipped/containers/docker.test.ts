import { startDocker } from './engines/docker.ts'
import { killedSuite } from './killed-suite.ts'
import { matrixSuite } from './matrix-suite.ts'
import { onEngine } from './on-engine.ts'
import { recipesSuite } from './recipes-suite.ts'
import { DOCKER_ROWS } from './rows/docker-rows.ts'
import type { Row } from './rows/row.ts'
import { COLUMNS, type Column } from './support/builds.ts'

/** All but those that take long. */
const SMALL = COLUMNS.filter((column) => column !== 'compile' && column !== 'apt')

/** Rows that differ most. */
const CHOSEN: Readonly<Record<string, readonly Column[]>> = {
  'privileged, store in the container': ['run', 'changes'],
  'unconfined, root': ['changes', 'mounts'],
  'default, root': SMALL,
}

describe("containers of Debian's docker", () => {
  onEngine(startDocker, (matrix) => {
    describe('a part of the builds in them', () => {
      matrixSuite(matrix, DOCKER_ROWS, someColumns)
    })
    describe('one that is killed at some moments of a build', () => killedSuite(matrix, 2))
    describe('the recipes of docs/ci.md, as far as a docker can stand for the systems', () => {
      recipesSuite(matrix)
    })
  })
})

/** A small build for each row, so that neighbours together have all. */
function someColumns(row: Row): readonly Column[] {
  const at = DOCKER_ROWS.indexOf(row) % SMALL.length
  return CHOSEN[row.name] ?? SMALL.slice(at, at + 1)
}
