import { readDocument, shapes } from '#core'
import type { Environment } from '#http'
import { DEFAULT_REGISTRY } from '../reference.ts'
import { type Mirror, mirrorOf, parseLocation } from './mirror.ts'
import { daemonFiles } from './mirror-settings.ts'
import { readSettings } from './settings-files.ts'

const DAEMON = shapes.object({
  'registry-mirrors': shapes.list(shapes.string),
  'insecure-registries': shapes.list(shapes.string),
})

/** The mirrors of Docker Hub in docker's `daemon.json`, the user's or else the machine's. Spec: dockerd(8) */
export function daemonMirrors(
  { registry, repository }: { readonly registry: string; readonly repository: string },
  environment: Environment,
): readonly Mirror[] {
  if (registry !== DEFAULT_REGISTRY) return []
  for (const path of daemonFiles(environment)) {
    const text = readSettings(path)
    if (text === undefined || text.trim() === '') continue
    const { 'registry-mirrors': urls = [], 'insecure-registries': insecure = [] } = readDocument(
      Buffer.from(text),
      DAEMON,
      { what: path, code: 'CONFIG_INVALID', hint: 'repair it: it names mirrors of Docker Hub' },
    )
    return urls.flatMap((url) => {
      const location = parseLocation(url)
      if (location === undefined) return []
      const isInsecure = location.isInsecure || insecure.includes(location.host)
      return [mirrorOf({ ...location, isInsecure }, repository)]
    })
  }
  return []
}
