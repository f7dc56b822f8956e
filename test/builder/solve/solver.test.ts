import { MemoryResults } from './memory-results.ts'
import { solverSuite } from './solver-suite.ts'

solverSuite(
  'the store',
  () =>
    ({ results }) =>
      results,
)

solverSuite('memory', () => {
  const cache = new MemoryResults()
  return () => cache
})
