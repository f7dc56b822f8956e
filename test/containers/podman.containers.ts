import { startPodman } from './engines/podman.ts'
import { ROWS } from './rows.ts'
import { matrixSuite } from './suite.ts'

describe("builds in containers of Debian's podman", () => matrixSuite(startPodman, ROWS))
