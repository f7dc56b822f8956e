import { findPeers } from '../../support/peers/index.ts'
import { startTodaysDocker } from './engines/docker.ts'
import { matrixSuite } from './matrix-suite.ts'
import { onEngine } from './on-engine.ts'
import { DOCKER_ROWS } from './rows/docker-rows.ts'

const peers = findPeers()

if (peers !== undefined) {
  describe("builds in containers of today's docker", () => {
    onEngine(
      () => startTodaysDocker(peers),
      (matrix) => matrixSuite(matrix, DOCKER_ROWS),
    )
  })
}
