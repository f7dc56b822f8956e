import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run, temporaryDirectory } from '../../test/support/peers/index.ts'

/** Milliseconds for installing and compiling. */
const PATIENCE = 15 * 60_000

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url))

/** A built tsbuild of another commit. */
export interface OtherVersion extends Disposable {
  /** The commit, abbreviated. */
  readonly name: string
  /** Its `cli/bin.js`. */
  readonly program: string
}

/**
 * Builds the files of a commit in a temporary directory. The packages of this working tree are used where
 * both have the same `package-lock.json`.
 */
export async function buildOtherVersion(commit: string): Promise<OtherVersion> {
  const git = async (...args: readonly string[]): Promise<string> =>
    (await run('git', ['-C', PROJECT, ...args])).stdout.trim()
  const name = await git('rev-parse', '--short', '--verify', `${commit}^{commit}`)
  const directory = temporaryDirectory('bench-version')
  try {
    const [archive, tree] = [directory.file('files.tar'), directory.file('tree')]
    await git('archive', '--format=tar', `--output=${archive}`, name)
    mkdirSync(tree)
    await run('tar', ['-xf', archive, '-C', tree])
    const env = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? directory.file('home') }
    const npm = (args: readonly string[]) =>
      run('npm', args, { cwd: tree, env, timeoutMs: PATIENCE })
    if (hasSamePackages(tree))
      symlinkSync(join(PROJECT, 'node_modules'), join(tree, 'node_modules'))
    else await npm(['ci', '--ignore-scripts'])
    await npm(['run', '--silent', 'build'])
    return {
      name,
      program: join(tree, 'cli/bin.js'),
      [Symbol.dispose]: () => directory[Symbol.dispose](),
    }
  } catch (cause) {
    directory[Symbol.dispose]()
    throw cause
  }
}

function hasSamePackages(tree: string): boolean {
  const [here, there] = [PROJECT, tree].map((folder) =>
    readFileSync(join(folder, 'package-lock.json'), 'utf8'),
  )
  return here === there
}
