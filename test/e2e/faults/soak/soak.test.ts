import { soakSuite } from './soak-suite.ts'

describe('a store that some processes use and that some of them die in', function () {
  this.timeout(240_000)
  soakSuite({ processes: 8, builds: 5, kills: 8 })
})
