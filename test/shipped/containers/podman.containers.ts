import { startPodman } from './engines/podman.ts'
import { matrixSuite } from './matrix-suite.ts'
import { onEngine } from './on-engine.ts'
import { PODMAN_ROWS } from './rows/podman-rows.ts'

describe("builds in containers of Debian's podman", () => {
  onEngine(startPodman, (matrix) => matrixSuite(matrix, PODMAN_ROWS))
})
