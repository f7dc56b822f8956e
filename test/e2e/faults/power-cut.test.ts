import { powerCutSuite } from './power-cut-suite.ts'

describe('builds on a machine whose power is cut', function () {
  this.timeout(240_000)
  powerCutSuite({ cuts: 3 })
})
