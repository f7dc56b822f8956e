import { globSync, readFileSync } from 'node:fs'
import { bundledPackages } from '../image/package-folder.ts'
import { nodeLicence, productionDependencies, REPOSITORY } from '../image/published.ts'

/** The licences of all that an executable has in it, as one text. */
export function licences(): string {
  const packages = [
    ...productionDependencies(),
    ...bundledPackages().map((name) => `node_modules/${name}`),
  ]
  const files = packages.flatMap((path) =>
    globSync(`${path}/{LICENSE,LICENCE,license}*`, { cwd: REPOSITORY }).slice(0, 1),
  )
  const texts = [...new Set(files)].map((path) => textOf(path, REPOSITORY + path))
  return [textOf('LICENSE', `${REPOSITORY}LICENSE`), textOf('node', nodeLicence()), ...texts].join(
    '',
  )
}

function textOf(name: string, path: string): string {
  return `\n==== ${name}\n\n${readFileSync(path, 'utf8')}`
}
