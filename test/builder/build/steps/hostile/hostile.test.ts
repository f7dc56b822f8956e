import { hostileSuite } from './hostile-suite.ts'

describe('build: hostile steps', () => {
  hostileSuite({ zombies: 300, flood: '20m', daemons: 3, latency: 5000 })
})
