import { startDocker, startRemappedDocker } from './engines/docker.ts'
import { DOCKER_ROWS } from './rows/docker-rows.ts'
import { REMAPPED_ROWS } from './rows/remapped-rows.ts'
import { matrixSuite } from './suite.ts'

describe("builds in containers of Debian's docker", () => matrixSuite(startDocker, DOCKER_ROWS))

describe("builds in containers of Debian's docker with userns-remap", () => {
  matrixSuite(startRemappedDocker, REMAPPED_ROWS)
})
