import { chmodSync, chownSync, copyFileSync, cpSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { HERE } from '../../../e2e/support/tsbuild.ts'
import { run } from '../../../support/peers/index.ts'

/** Where the published package is in the image. */
const PACKAGE = '/opt/tsbuild'

/** The home of an ordinary user of the image, whose id is 1000. */
const HOME = '/home/user'

/** What an engine's `import` is told of the image, an instruction of a Dockerfile each. */
export const SLIM_CHANGES: readonly string[] = [
  `ENTRYPOINT ${JSON.stringify(['/usr/bin/node', `${PACKAGE}/cli/bin.js`])}`,
  `ENV HOME=${HOME}`,
]

/**
 * Writes the root file system of an image as a tar: node with its libraries, the published package,
 * certificates, a home and /tmp. No shell, no account, no other program.
 * @param directory made for its files
 */
export async function writeSlimImage(directory: string, tar: string): Promise<void> {
  const copy = (from: string, to = from): void => {
    const path = join(directory, to)
    mkdirSync(dirname(path), { recursive: true })
    copyFileSync(from, path)
    chmodSync(path, 0o755)
  }
  copy(HERE.node, '/usr/bin/node')
  const { stdout } = await run('ldd', [HERE.node])
  for (const [library] of stdout.matchAll(/\/\S+/g)) copy(library)
  copy('/etc/ssl/certs/ca-certificates.crt')
  cpSync(HERE.path, join(directory, PACKAGE), { recursive: true })
  mkdirSync(join(directory, 'tmp'))
  chmodSync(join(directory, 'tmp'), 0o1777)
  mkdirSync(join(directory, HOME), { recursive: true })
  chownSync(join(directory, HOME), 1000, 1000)
  await run('tar', ['-C', directory, '-cf', tar, '.'])
}
