import { checkCell } from './cell.ts'
import type { Engine } from './engines/engine.ts'
import type { Row } from './rows/row.ts'
import { COLUMNS, type Column } from './support/builds.ts'
import { type Matrix, startMatrix } from './support/matrix.ts'

/** Milliseconds for one cell, and for what all need; other jobs on the machine must not fail them. */
const PATIENCE = 600_000

/**
 * A test for each build of each row, on an engine that is started for them.
 * @param columnsOf the builds of a row; all unless given
 */
export function matrixSuite(
  start: () => Promise<Engine>,
  rows: readonly Row[],
  columnsOf: (row: Row) => readonly Column[] = () => COLUMNS,
): void {
  const stack = new AsyncDisposableStack()
  let matrix: Matrix

  before(async function () {
    this.timeout(PATIENCE)
    matrix = await startMatrix(start, stack)
  })

  after(async function () {
    this.timeout(PATIENCE)
    await stack.disposeAsync()
  })

  for (const row of rows) {
    describe(row.name, () => {
      for (const column of columnsOf(row)) {
        it(column, async function () {
          this.timeout(PATIENCE)
          await checkCell(matrix, row, column)
        })
      }
    })
  }
}
