import { createHash } from 'node:crypto'
import { cpSync, existsSync, linkSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { productionDependencies, publishedFiles, REPOSITORY } from '../../../image/published.ts'
import { capture, temporaryDirectory, type User } from '../../support/peers/index.ts'

export { publishedFiles, REPOSITORY }

/** Where an installed package is, and the Node.js that runs it. */
export interface Installed {
  /** A directory, with `/` at its end. */
  readonly path: string
  readonly node: string
}

/**
 * The package as npm installs it: what is published, and its dependencies. Made once for each build of
 * the bundle, by the first process that asks.
 */
export function installHere(): Installed {
  const files = publishedFiles()
  const stamps = files.map((path) => `${path} ${statSync(REPOSITORY + path).mtimeMs}`)
  const hash = createHash('sha256').update(stamps.join('\n')).digest('hex')
  const path = join(REPOSITORY, 'dist', 'test', `.installed-${hash.slice(0, 16)}`)
  if (!existsSync(path)) {
    const draft = mkdtempSync(join(REPOSITORY, 'dist', 'test', '.installing-'))
    for (const file of [...files, ...productionDependencies()]) {
      cpSync(REPOSITORY + file, join(draft, file), { recursive: true })
    }
    try {
      renameSync(draft, path)
    } catch {
      // Another process was faster.
      rmSync(draft, { recursive: true })
    }
  }
  return { path: `${path}/`, node: process.execPath }
}

/** The package as it is installed; a copy where `user` may not read the repository, as in root's home. */
export async function installedFor(user: User): Promise<Installed & Disposable> {
  const here = installHere()
  const [command = '', ...rest] = [...user.prefix, here.node, `${here.path}cli/bin.js`, '--version']
  const tried = await capture(command, rest)
  if (tried.status === 0) return { ...here, [Symbol.dispose]: () => undefined }
  const directory = temporaryDirectory('installed', 0o755)
  cpSync(here.path, directory.file('tsbuild'), { recursive: true })
  const node = directory.file('node')
  try {
    linkSync(here.node, node)
  } catch {
    cpSync(here.node, node)
  }
  return {
    path: `${directory.file('tsbuild')}/`,
    node,
    [Symbol.dispose]: () => directory[Symbol.dispose](),
  }
}
