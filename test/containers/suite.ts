import { startRegistry, temporaryDirectory } from '../support/peers/index.ts'
import { checkCell, type Matrix } from './cell.ts'
import { COLUMNS, type Column, copyContexts } from './columns.ts'
import type { Engine } from './engines/engine.ts'
import { HostBuilds } from './expected.ts'
import { pushBases } from './images/bases.ts'
import { Images } from './images/images.ts'
import type { Row } from './rows.ts'
import { Site } from './site.ts'

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
    const directory = stack.use(temporaryDirectory('matrix', 0o755))
    const registry = stack.use(await startRegistry())
    await pushBases(registry)
    const engine = stack.use(await start())
    const site = await Site.start(engine, { images: new Images(directory), registry }, stack)
    const contextOf = copyContexts(directory)
    const hostBuilds = new HostBuilds(registry, directory, contextOf)
    matrix = { site, registry, hostBuilds, contextOf }
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
