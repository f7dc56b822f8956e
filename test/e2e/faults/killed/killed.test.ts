import { killedSuite } from './killed-suite.ts'

describe('a build that is killed some times', function () {
  this.timeout(300_000)
  killedSuite({ all: 3, long: 1, compiler: 'tcc' })
})
