import { checkCell } from './cell.ts'
import type { Row } from './rows/row.ts'
import { COLUMNS, type Column } from './support/builds.ts'
import type { Matrix } from './support/matrix.ts'

/** Milliseconds for one cell; other jobs on the machine must not fail it. */
const PATIENCE = 600_000

/**
 * A test for each build of each row.
 * @param columnsOf the builds of a row; all unless given
 */
export function matrixSuite(
  matrix: () => Matrix,
  rows: readonly Row[],
  columnsOf: (row: Row) => readonly Column[] = () => COLUMNS,
): void {
  for (const row of rows) {
    describe(row.name, () => {
      for (const column of columnsOf(row)) {
        it(column, async function () {
          this.timeout(PATIENCE)
          await checkCell(matrix(), row, column)
        })
      }
    })
  }
}
