import { chmodSync, cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { FIXTURES } from '../../../e2e/support/tsbuild.ts'
import type { TemporaryDirectory } from '../../../support/peers/index.ts'

/** The builds of the matrix: folders of `fixtures/containers`, each with a Dockerfile. */
export const COLUMNS = [
  'copies',
  'run',
  'mounts',
  'users',
  'capabilities',
  'changes',
  'devices',
  'compile',
  'apt',
] as const

export type Column = (typeof COLUMNS)[number]

/** A folder with a Dockerfile: a column, or the build that is killed. */
export type Build = Column | 'killed'

/** What steps see of the secret `token`; it must be found nowhere else. */
export const SECRET = 'the-secret-of-7f3a9c'

/** The flags that a build has, wherever it is done. */
export function flagsOf(build: Build, registry: string): readonly string[] {
  const secrets = build === 'mounts' || build === 'killed' ? ['--secret', 'id=token,env=TOKEN'] : []
  return ['--reproducible', '--build-arg', `REGISTRY=${registry}`, ...secrets, '--push']
}

/** Copies the contexts to where a container's user can read them, whoever that is. */
export function copyContexts(directory: TemporaryDirectory): (build: Build) => string {
  const root = directory.file('contexts')
  cpSync(join(FIXTURES, 'containers'), root, { recursive: true, verbatimSymlinks: true })
  chmodSync(root, 0o755)
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isDirectory()) chmodSync(path, 0o755)
    else if (entry.isFile()) chmodSync(path, 0o644)
  }
  return (build) => join(root, build)
}
