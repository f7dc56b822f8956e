import { failingCallsSuite } from './failing-calls-suite.ts'

describe('a call that writes to the disk, and fails', function () {
  this.timeout(240_000)
  failingCallsSuite({ most: 1, parts: 1, timeoutMs: 230_000 })
})
