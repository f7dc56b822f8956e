import { failingCallsSuite } from './failing-calls-suite.ts'

describe('each call that writes to the disk, when it fails', function () {
  this.timeout(7_200_000)
  failingCallsSuite({ most: 0, parts: 2, timeoutMs: 7_100_000 })
})
