import { findPeers } from '../support/peers/index.ts'
import { startTodaysDocker } from './engines/docker.ts'
import { DOCKER_ROWS } from './rows/docker-rows.ts'
import { matrixSuite } from './suite.ts'

const peers = findPeers()

if (peers !== undefined) {
  describe("builds in containers of today's docker", () => {
    matrixSuite(() => startTodaysDocker(peers), DOCKER_ROWS)
  })
}
