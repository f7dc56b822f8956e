import { startPodman } from './engines/podman.ts'
import { PODMAN_ROWS } from './rows/podman-rows.ts'
import { matrixSuite } from './suite.ts'

describe("builds in containers of Debian's podman", () => matrixSuite(startPodman, PODMAN_ROWS))
