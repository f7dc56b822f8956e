import { startDocker, startRemappedDocker } from './engines/docker.ts'
import { REMAPPED_ROWS, ROWS } from './rows.ts'
import { matrixSuite } from './suite.ts'

describe("builds in containers of Debian's docker", () => matrixSuite(startDocker, ROWS))

describe("builds in containers of Debian's docker with userns-remap", () => {
  matrixSuite(startRemappedDocker, REMAPPED_ROWS)
})
