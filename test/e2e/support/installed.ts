import { cpSync } from 'node:fs'
import { capture, temporaryDirectory, type User } from '../../support/peers/index.ts'
import { HERE, type Installed } from './tsbuild.ts'

/**
 * The repository itself where `user` may read it; else (it often lies in the home of root) a copy
 * of what is installed with the package.
 */
export async function installedFor(user: User): Promise<Installed & Disposable> {
  const [command = '', ...rest] = [...user.prefix, HERE.node, `${HERE.path}cli/bin.js`, '--version']
  const tried = await capture(command, rest)
  if (tried.status === 0) return { ...HERE, [Symbol.dispose]: () => undefined }
  const directory = temporaryDirectory('installed', 0o755)
  for (const name of ['package.json', 'cli', 'dist', 'node_modules']) {
    cpSync(`${HERE.path}${name}`, directory.file(name), { recursive: true, verbatimSymlinks: true })
  }
  return {
    path: `${directory.path}/`,
    node: directory.file('node_modules/.bin/node'),
    [Symbol.dispose]: () => directory[Symbol.dispose](),
  }
}
