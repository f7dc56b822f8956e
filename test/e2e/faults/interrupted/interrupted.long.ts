import { interruptedSuite } from './interrupted-suite.ts'

describe('builds that are interrupted many times', function () {
  this.timeout(3_600_000)
  interruptedSuite({ each: 100, signals: 'all', slack: 1, files: 3000 })
})
