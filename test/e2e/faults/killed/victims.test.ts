import { victimsSuite } from './victims-suite.ts'

describe('a build of which some process is killed', function () {
  this.timeout(300_000)
  victimsSuite(30)
})
