import type { Environment } from '#http'
import type { Mirror, PullRoute } from './mirror.ts'
import { registriesFiles } from './mirror-settings.ts'
import { readToml, type TomlTable, tablesIn, textOf } from './settings-files.ts'

/** A table `[[registry]]`, and the file that it is in. */
interface Entry {
  readonly file: string
  readonly prefix: string
  readonly table: TomlTable
}

/**
 * What containers' `registries.conf` and the files in `registries.conf.d` say of a repository, by the longest prefix
 * that fits; `undefined`: nothing. Spec: containers-registries.conf(5), version 2
 */
export async function registriesConfRoute(
  name: { readonly registry: string; readonly repository: string },
  environment: Environment,
): Promise<PullRoute | undefined> {
  const image = `${name.registry}/${name.repository}`
  let best: Entry | undefined
  for (const file of registriesFiles(environment)) {
    for (const table of tablesIn((await readToml(file))?.registry)) {
      const prefix = textOf(table.prefix) ?? textOf(table.location)
      // A later file replaces what an earlier one says of the same prefix.
      if (prefix === undefined || matchOf(image, prefix) === undefined) continue
      if (best === undefined || prefix.length >= best.prefix.length) best = { file, prefix, table }
    }
  }
  return best === undefined ? undefined : routeOf(best, image)
}

/** How much of a name a prefix takes: whole components, or with `*.` the names below a host. */
function matchOf(image: string, prefix: string): number | undefined {
  if (!prefix.startsWith('*.')) {
    const isWhole = image === prefix || image.startsWith(`${prefix}/`)
    return isWhole ? prefix.length : undefined
  }
  const slash = image.indexOf('/')
  return image.slice(0, slash).endsWith(prefix.slice(1)) ? slash : undefined
}

function routeOf({ file, prefix, table }: Entry, image: string): PullRoute {
  if (table.blocked === true) return { mirrors: [], blockedBy: file }
  const rest = image.slice(matchOf(image, prefix) ?? 0)
  const byDigest = table['mirror-by-digest-only'] === true
  const mirrors = tablesIn(table.mirror).flatMap((mirror) =>
    mirrorAt(mirror, rest, byDigest ? 'digest-only' : textOf(mirror['pull-from-mirror'])),
  )
  // Where the registry itself is to be found, if that is elsewhere.
  const isElsewhere = textOf(table.location) !== prefix || table.insecure === true
  const self = isElsewhere ? mirrorAt({ location: prefix, ...table }, rest, 'all') : []
  return { mirrors: [...mirrors, ...self] }
}

const ACCEPTS: Readonly<Record<string, Mirror['accepts']>> = {
  'digest-only': 'digests',
  'tag-only': 'tags',
}

function mirrorAt(table: TomlTable, rest: string, pulls: string | undefined): readonly Mirror[] {
  const [, host, name] = /^([^/]+)\/(.+)$/.exec(`${textOf(table.location) ?? ''}${rest}`) ?? []
  if (host === undefined || name === undefined || host.startsWith('*.')) return []
  const accepts = ACCEPTS[pulls ?? ''] ?? 'all'
  return [{ host, repository: name, isInsecure: table.insecure === true, accepts }]
}
