import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The repository; a directory, with `/` at its end. */
export const REPOSITORY: string = fileURLToPath(new URL('../../../', import.meta.url))

/** Paths of the files that are published, relative to the repository. */
export function publishedFiles(): readonly string[] {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts']
  const printed = execFileSync('npm', args, { cwd: REPOSITORY, encoding: 'utf8', stdio: 'pipe' })
  const [packed] = JSON.parse(printed)
  return packed.files.map(({ path }: { readonly path: string }) => path)
}

/** Folders of the packages that npm installs with the published one, relative to the repository. */
export function productionDependencies(): readonly string[] {
  const { packages } = JSON.parse(readFileSync(`${REPOSITORY}package-lock.json`, 'utf8'))
  return Object.entries<{ readonly dev?: boolean }>(packages).flatMap(([path, { dev }]) =>
    path === '' || dev === true || !existsSync(REPOSITORY + path) ? [] : [path],
  )
}

/** Path of the licence of Node and of all that is in it. */
export function nodeLicence(): string {
  const [path = ''] = globSync('node_modules/node/node_modules/*/LICENSE', { cwd: REPOSITORY })
  return REPOSITORY + path
}
