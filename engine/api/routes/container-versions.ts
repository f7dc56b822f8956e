import { isJsonObject, type JsonObject } from '#core'
import { withFormerFields } from '#engine/networks'
import type { ApiVersion } from '../http/api-version.ts'

/** The document of a container as clients of a version expect it. */
export function inContainerVersion(document: JsonObject, { minor }: ApiVersion): JsonObject {
  const { NetworkSettings, ImageManifestDescriptor, Id, ...others } = document
  const settings = isJsonObject(NetworkSettings) ? NetworkSettings : {}
  const known = minor < 45 ? withNames(settings, String(others.Name)) : settings
  return {
    Id: String(Id),
    ...others,
    ...(minor < 48 || ImageManifestDescriptor === undefined ? {} : { ImageManifestDescriptor }),
    NetworkSettings: minor < 52 ? withFormerFields(known) : known,
  }
}

/** Where containers have names, the beginning of the id and the name of the machine were aliases, too. */
function withNames(settings: JsonObject, name: string): JsonObject {
  const { Networks } = settings
  if (!isJsonObject(Networks)) return settings
  const endpoints = Object.entries(Networks).map(([network, endpoint]) => {
    if (!isJsonObject(endpoint) || !Array.isArray(endpoint.DNSNames)) return [network, endpoint]
    const { Aliases, DNSNames } = endpoint
    const others = DNSNames.filter((known) => `/${String(known)}` !== name)
    const all = new Set([...(Array.isArray(Aliases) ? Aliases : []), ...others])
    return [network, { ...endpoint, Aliases: [...all] }]
  })
  return { ...settings, Networks: Object.fromEntries(endpoints) as JsonObject }
}
