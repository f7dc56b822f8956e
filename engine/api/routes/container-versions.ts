import { isJsonObject, type JsonObject } from '#core'
import { withFormerFields } from '#engine/networks'
import type { ApiVersion } from '../http/api-version.ts'

/** The document of a container as clients of a version expect it. */
export function inContainerVersion(document: JsonObject, { minor }: ApiVersion): JsonObject {
  const { NetworkSettings, ImageManifestDescriptor, Id, ...others } = document
  const settings = isJsonObject(NetworkSettings) ? NetworkSettings : {}
  const known = minor < 45 ? withShortId(settings, String(Id)) : settings
  return {
    Id: String(Id),
    ...others,
    ...(minor < 48 || ImageManifestDescriptor === undefined ? {} : { ImageManifestDescriptor }),
    NetworkSettings: minor < 52 ? withFormerFields(known) : known,
  }
}

/** Where containers have names, the beginning of the id was one of their aliases. */
function withShortId(settings: JsonObject, id: string): JsonObject {
  const { Networks } = settings
  if (!isJsonObject(Networks)) return settings
  const endpoints = Object.entries(Networks).map(([name, endpoint]) => {
    if (!isJsonObject(endpoint) || !Array.isArray(endpoint.DNSNames)) return [name, endpoint]
    const { Aliases } = endpoint
    return [
      name,
      { ...endpoint, Aliases: [...(Array.isArray(Aliases) ? Aliases : []), id.slice(0, 12)] },
    ]
  })
  return { ...settings, Networks: Object.fromEntries(endpoints) as JsonObject }
}
