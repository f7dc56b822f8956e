import { startDocker, startRemappedDocker } from './engines/docker.ts'
import { matrixSuite } from './matrix-suite.ts'
import { onEngine } from './on-engine.ts'
import { DOCKER_ROWS } from './rows/docker-rows.ts'
import { REMAPPED_ROWS } from './rows/remapped-rows.ts'

describe("builds in containers of Debian's docker", () => {
  onEngine(startDocker, (matrix) => matrixSuite(matrix, DOCKER_ROWS))
})

describe("builds in containers of Debian's docker with userns-remap", () => {
  onEngine(startRemappedDocker, (matrix) => matrixSuite(matrix, REMAPPED_ROWS))
})
