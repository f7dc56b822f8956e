import { soakSuite } from './soak-suite.ts'

describe('a store that some processes use and that some of them die in', function () {
  this.timeout(240_000)
  soakSuite({ processes: 6, builds: 4, kills: 6 })
})
