import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import type { TemporaryDirectory } from '../peers/index.ts'
import { probeProgram } from './program.ts'

/** The step writes into a file that is there, so that any user can. */
const DOCKERFILE = `FROM scratch AS step
ARG WHO=0
COPY probe facts /
COPY etc /etc
USER $WHO
RUN ["/probe", "/facts"]
FROM scratch
COPY --from=step /facts /
`

/** Makes a context whose result is what its step, run as user `WHO`, has and can reach. */
export async function makeProbeContext(directory: TemporaryDirectory): Promise<void> {
  copyFileSync(await probeProgram(), directory.file('probe'))
  chmodSync(directory.file('probe'), 0o755)
  writeFileSync(directory.file('facts'), '')
  chmodSync(directory.file('facts'), 0o666)
  mkdirSync(directory.file('etc'))
  writeFileSync(directory.file('etc/passwd'), 'root:x:0:0::/:\nuser:x:1000:1000::/:\n')
  writeFileSync(directory.file('etc/group'), 'root:x:0:\nuser:x:1000:\n')
  writeFileSync(directory.file('Dockerfile'), DOCKERFILE)
}
