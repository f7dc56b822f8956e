import { findPeers } from '../support/peers/index.ts'
import { COLUMNS } from './columns.ts'
import { startDocker, startRemappedDocker, startTodaysDocker } from './engines/docker.ts'
import { startPodman } from './engines/podman.ts'
import { REMAPPED_ROWS, ROWS, type Row } from './rows.ts'
import { type Cell, matrixSuite } from './suite.ts'

const peers = findPeers()

describe('builds in containers', () => {
  describe("of Debian's docker", () => matrixSuite(startDocker, cellsOf(ROWS)))
  describe("of Debian's docker with userns-remap", () => {
    matrixSuite(startRemappedDocker, cellsOf(REMAPPED_ROWS))
  })
  describe("of Debian's podman", () => matrixSuite(startPodman, cellsOf(ROWS)))
  if (peers !== undefined) {
    describe("of today's docker", () => {
      matrixSuite(() => startTodaysDocker(peers), cellsOf(ROWS))
    })
  }
})

function cellsOf(rows: readonly Row[]): readonly Cell[] {
  return rows.flatMap((row) => COLUMNS.map((column) => ({ row, column })))
}
