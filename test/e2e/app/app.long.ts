import { applicationSuite } from './app-suite.ts'

describe('a real application with a large compiler', function () {
  this.timeout(300_000)
  applicationSuite('gcc', { stages: true })
})
