import { soakSuite } from './soak-suite.ts'

describe('a store that many processes use and that many of them die in', function () {
  this.timeout(900_000)
  soakSuite({ processes: 16, builds: 30, kills: 50 })
})
