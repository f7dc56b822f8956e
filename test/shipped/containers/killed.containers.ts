import { startDocker } from './engines/docker.ts'
import { killedSuite } from './killed-suite.ts'
import { onEngine } from './on-engine.ts'

describe('a container that is killed at many moments of a build', () => {
  onEngine(startDocker, (matrix) => killedSuite(matrix, 60))
})
