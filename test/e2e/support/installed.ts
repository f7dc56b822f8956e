import { createHash } from 'node:crypto'
import { cpSync, existsSync, linkSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  productionDependencies,
  publishedFiles,
  REPOSITORY,
} from '../../../shipped/image/published.ts'
import { capture, diskDirectory, type User } from '../../support/peers/index.ts'

export { publishedFiles, REPOSITORY }

/** What is tested: the package and the Node.js that runs it, or the executable. */
export interface Installed {
  /** Words that start it, in front of its arguments. */
  readonly command: readonly [string, ...string[]]
  /** The directory that it is in, with `/` at its end. */
  readonly path: string
  readonly node: string
}

/** The executable that end-to-end tests start instead of the package: `npm run test:exe`. */
export const EXECUTABLE: string | undefined = process.env.TSBUILD_TEST_EXECUTABLE

/** What end-to-end tests start. */
export function testedHere(): Installed {
  return EXECUTABLE === undefined ? installHere() : executableIn(dirname(EXECUTABLE))
}

function packageIn(directory: string, node: string): Installed {
  return { command: [node, join(directory, 'cli/bin.js')], path: `${directory}/`, node }
}

function executableIn(directory: string): Installed {
  const command = join(directory, 'tsbuild')
  return { command: [command], path: `${directory}/`, node: process.execPath }
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
  return packageIn(path, process.execPath)
}

/** What is tested; a copy where `user` may not read the repository, as in root's home. */
export async function installedFor(user: User): Promise<Installed & Disposable> {
  const here = testedHere()
  const [command = '', ...rest] = [...user.prefix, ...here.command, '--version']
  const tried = await capture(command, rest)
  if (tried.status === 0) return { ...here, [Symbol.dispose]: () => undefined }
  // On a file system where Node can be linked rather than copied.
  const directory = diskDirectory('installed', 0o755)
  const copy = directory.file('copy')
  cpSync(here.path, copy, { recursive: true })
  const node = directory.file('node')
  try {
    linkSync(here.node, node)
  } catch {
    cpSync(here.node, node)
  }
  return {
    ...(EXECUTABLE === undefined ? packageIn(copy, node) : executableIn(copy)),
    [Symbol.dispose]: () => directory[Symbol.dispose](),
  }
}
