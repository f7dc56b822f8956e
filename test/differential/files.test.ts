import { readCases } from '../support/differential/index.ts'
import { differentialSuite } from './suite.ts'

/** Every so manieth case is built here; `npm run test:diff` builds all. */
const EVERY = 5

describe('a part of what instructions do to files, as BuildKit does it', () => {
  const cases = ['add', 'copy', 'places', 'run'].flatMap(readCases)
  differentialSuite(cases.filter((_, index) => index % EVERY === 0))
})
