import { applicationSuite } from './app-suite.ts'

describe('a real application', function () {
  this.timeout(300_000)
  applicationSuite('tcc', { stages: false })
})
