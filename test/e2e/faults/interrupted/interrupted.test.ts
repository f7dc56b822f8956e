import { interruptedSuite } from './interrupted-suite.ts'

describe('builds that are interrupted', function () {
  this.timeout(120_000)
  interruptedSuite({ each: 1, signals: 'one', slack: 4, files: 500 })
})
