import { cpSync, existsSync, globSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { productionDependencies, publishedFiles, REPOSITORY } from './published.ts'

/** Makes a folder with the package as npm installs it, and with the licences of what is in its bundle. */
export function makePackageFolder(folder: string): void {
  for (const path of [...publishedFiles(), ...productionDependencies()]) {
    cpSync(join(REPOSITORY, path), join(folder, path), { recursive: true, dereference: true })
  }
  for (const name of bundledPackages()) copyLicence(name, join(folder, 'licences', name))
}

/** Names of the packages of which code is in the bundle, by its source maps. */
export function bundledPackages(): readonly string[] {
  const maps = globSync('dist/bundle/*.map', { cwd: REPOSITORY })
  const sources = maps.flatMap((path) => {
    const map: { readonly sources: readonly string[] } = JSON.parse(
      readFileSync(join(REPOSITORY, path), 'utf8'),
    )
    return map.sources
  })
  const names = sources.flatMap(
    (source) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(source)?.[1] ?? [],
  )
  return [...new Set(names)].toSorted()
}

function copyLicence(name: string, folder: string): void {
  const found = globSync(`node_modules/${name}/{LICENSE,LICENCE,license}*`, { cwd: REPOSITORY })
  for (const path of found) {
    const to = join(folder, 'LICENSE')
    if (existsSync(to)) continue
    mkdirSync(dirname(to), { recursive: true })
    cpSync(join(REPOSITORY, path), to)
  }
}
