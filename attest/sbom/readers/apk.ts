import { lineOf, type Package } from '../package/package.ts'
import { packageUrl } from '../package/package-url.ts'
import type { ReadDeps } from './read-deps.ts'
import { linesOf } from './stanzas.ts'

/** Where /lib is a link, both are one. */
const DATABASES = ['lib/apk/db/installed', 'usr/lib/apk/db/installed']
const MAX_DATABASE = 256 << 20

/** Packages that apk has installed. Spec: apk-tools, apk(5) installed database */
export function* apkPackages(deps: ReadDeps): Generator<Package> {
  const { files, onProblem } = deps
  const found = new Set(DATABASES.map((path) => files.find(path)))
  for (const path of found) {
    if (path === undefined) continue
    const text = files.read(path, MAX_DATABASE)?.toString('utf8')
    if (text === undefined) onProblem(`/${path} is too long to be read`)
    else yield* packagesIn(text, path, deps)
  }
}

function* packagesIn(text: string, source: string, deps: ReadDeps): Generator<Package> {
  let fields = new Map<string, string>()
  for (const line of linesOf(`${text}\n\n`)) {
    if (line !== '') {
      // Files and their owners follow the fields of a package, and need not be kept.
      if (line[1] === ':' && !fields.has(line[0] ?? '')) fields.set(line[0] ?? '', line.slice(2))
      continue
    }
    const one = packageOf(fields, source, deps)
    if (one !== undefined) yield one
    fields = new Map()
  }
}

function packageOf(
  fields: ReadonlyMap<string, string>,
  source: string,
  { distro, distribution }: ReadDeps,
): Package | undefined {
  const [name, version, arch] = ['P', 'V', 'A'].map((key) => lineOf(fields.get(key)))
  if (name === undefined || version === undefined) return undefined
  const origin = lineOf(fields.get('o'))
  const upstream = origin === name ? undefined : origin
  const namespace = distribution?.id ?? 'alpine'
  return {
    type: 'apk',
    name,
    version,
    url: packageUrl('apk', { namespace, name, version, qualifiers: { arch, distro, upstream } }),
    license: lineOf(fields.get('L')),
    supplier: lineOf(fields.get('m')),
    source,
  }
}
