import { hostileSuite } from './hostile-suite.ts'

describe('build: hostile steps, at length', function () {
  this.timeout(600_000)
  hostileSuite({ zombies: 10_000, flood: '5g', daemons: 20, latency: 2000 })
})
