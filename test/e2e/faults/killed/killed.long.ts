import { killedSuite } from './killed-suite.ts'

describe('a build that is killed many times', function () {
  this.timeout(900_000)
  killedSuite({ all: 20, long: 6, compiler: 'gcc' })
})
