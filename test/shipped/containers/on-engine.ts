import type { Engine } from './engines/engine.ts'
import { type Matrix, startMatrix } from './support/matrix.ts'

/** Milliseconds for what all tests need; other jobs on the machine must not fail them. */
const PATIENCE = 600_000

/** Declares tests on an engine, which is started once for all of them. @param declare gets what the tests read */
export function onEngine(
  start: () => Promise<Engine>,
  declare: (matrix: () => Matrix) => void,
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

  declare(() => matrix)
}
