import PQueue from 'p-queue'
import { startRegistry, temporaryDirectory } from '../support/peers/index.ts'
import { checkCell } from './cell.ts'
import { type Column, copyContexts } from './columns.ts'
import type { Engine } from './engines/engine.ts'
import { HostBuilds } from './expected.ts'
import { pushBases } from './images/bases.ts'
import { Images } from './images/images.ts'
import type { Row } from './rows.ts'
import { Site } from './site.ts'

/** Cells that are built at a time. */
const AT_ONCE = 2

/** Milliseconds for the builds before a cell's own; other jobs on the machine must not fail them. */
const PATIENCE = 3_600_000

/** A build in a kind of container. */
export interface Cell {
  readonly row: Row
  readonly column: Column
}

/** A test for each cell, on an engine that is started for them. */
export function matrixSuite(start: () => Promise<Engine>, cells: readonly Cell[]): void {
  const stack = new AsyncDisposableStack()
  let results: ReadonlyMap<Cell, Promise<void>>

  before(async function () {
    this.timeout(PATIENCE)
    const directory = stack.use(temporaryDirectory('matrix', 0o755))
    const registry = stack.use(await startRegistry())
    const images = new Images(directory)
    await pushBases(registry)
    const engine = stack.use(await start())
    const site = await Site.start(engine, { images, registry }, stack)
    const contextOf = copyContexts(directory)
    const hostBuilds = new HostBuilds(registry, directory, contextOf)
    const queue = new PQueue({ concurrency: AT_ONCE })
    const matrix = { registry, hostBuilds, contextOf }
    const check = (cell: Cell) => queue.add(() => checkCell(matrix, site, cell))
    results = new Map(cells.map((cell) => [cell, check(cell)]))
    // Each is awaited by its test; after a failure the rejections of the others would be unhandled.
    for (const result of results.values()) result.catch(() => undefined)
  })

  after(async function () {
    this.timeout(PATIENCE)
    await stack.disposeAsync()
  })

  for (const [row, own] of Map.groupBy(cells, (cell) => cell.row)) {
    describe(row.name, () => {
      for (const cell of own) {
        it(cell.column, async function () {
          this.timeout(PATIENCE)
          await results.get(cell)
        })
      }
    })
  }
}
