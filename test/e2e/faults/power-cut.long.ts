import { powerCutSuite } from './power-cut-suite.ts'

describe('builds on a machine whose power is cut many times', function () {
  this.timeout(1_200_000)
  powerCutSuite({ cuts: 50 })
})
