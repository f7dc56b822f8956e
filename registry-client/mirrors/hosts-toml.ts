import { join } from 'node:path'
import { type Mirror, mirrorOf, parseLocation } from './mirror.ts'
import { CONTAINERD } from './mirror-settings.ts'
import { isTable, readToml, type TomlTable } from './settings-files.ts'

/**
 * The mirrors in containerd's `hosts.toml` of a registry, or of all. Spec: containerd docs/hosts.md
 * @param folder with a folder for each registry
 */
export async function containerdMirrors(
  { registry, repository }: { readonly registry: string; readonly repository: string },
  folder: string = CONTAINERD,
): Promise<readonly Mirror[]> {
  const names = [registry, registry.replace(/:(\d+)$/, '_$1_'), '_default']
  for (const name of new Set(names)) {
    const file = await readToml(join(folder, name, 'hosts.toml'))
    if (file === undefined) continue
    const hosts = isTable(file.host) ? Object.entries(file.host) : []
    return hosts.flatMap(([url, options]) => mirrorsAt(url, options, repository))
  }
  return []
}

function mirrorsAt(url: string, options: unknown, repository: string): readonly Mirror[] {
  const table: TomlTable = isTable(options) ? options : {}
  const { capabilities = ['pull', 'resolve', 'push'], override_path: isWhole } = table
  const can = Array.isArray(capabilities) ? capabilities : []
  const location = parseLocation(url)
  if (location === undefined || !can.includes('pull')) return []
  // The path is that of the API, so it has /v2 in it where there is one.
  const prefix = location.prefix.replace(/^v2(?:\/|$)/, '')
  const isApi = location.prefix === '' || (isWhole === true && prefix !== location.prefix)
  if (!isApi && location.prefix !== 'v2') return []
  const isInsecure = location.isInsecure || table.skip_verify === true
  const mirror = mirrorOf({ ...location, prefix, isInsecure }, repository)
  return [{ ...mirror, accepts: can.includes('resolve') ? 'all' : 'digests' }]
}
