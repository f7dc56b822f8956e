import { generateCases, readCases } from '../support/differential/index.ts'
import { differentialSuite } from './suite.ts'

/** Every so manieth case is built here; `npm run test:diff` builds all. */
const EVERY = 3

describe('a part of the Dockerfile language, as BuildKit reads it', () => {
  const tables = ['heredocs', 'lines', 'metadata', 'scopes', 'stages', 'words']
  const written = tables
    .flatMap((table) => readCases(table, 'docker.io'))
    .filter((_, index) => index % EVERY === 0)
  differentialSuite([...written, ...generateCases(1, 30)])
})
