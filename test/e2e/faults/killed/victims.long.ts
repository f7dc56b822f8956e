import { victimsSuite } from './victims-suite.ts'

describe('a build of which some process is killed, many times', function () {
  this.timeout(900_000)
  victimsSuite(200)
})
