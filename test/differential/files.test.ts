import { generateFileCases, readCases } from '../support/differential/index.ts'
import { differentialSuite } from './suite.ts'

/** Every so manieth case is built here; `npm run test:diff` builds all. */
const EVERY = 7

describe('a part of what instructions do to files, as BuildKit does it', () => {
  const written = ['add', 'copy', 'meeting', 'places', 'run'].flatMap((table) =>
    readCases(table, 'docker.io'),
  )
  const part = written.filter((_, index) => index % EVERY === 0)
  differentialSuite([...part, ...generateFileCases(1, 10)])
})
