import { isJsonObject, type JsonObject } from '#core'
import { withFormerFields } from '#engine/networks'
import type { ApiVersion } from '../http/api-version.ts'

/** The document of a container as clients of a version expect it. */
export function inContainerVersion(document: JsonObject, { minor }: ApiVersion): JsonObject {
  const { NetworkSettings, HostConfig } = document
  const settings = isJsonObject(NetworkSettings) ? NetworkSettings : {}
  return {
    ...document,
    ...(minor < 42 && isJsonObject(HostConfig) ? { HostConfig: before42(HostConfig) } : {}),
    NetworkSettings: minor < 52 ? withFormerFields(endpointsBefore(settings, minor)) : settings,
  }
}

/** Limits on memory of the kernel, which newer kernels have not, and lists that were null. */
function before42(config: JsonObject): JsonObject {
  const lists = Object.entries(config).filter(
    ([name, value]) => name.startsWith('BlkioDevice') && Array.isArray(value) && value.length === 0,
  )
  return {
    ...config,
    ...Object.fromEntries(lists.map(([name]) => [name, null])),
    KernelMemory: 0,
    KernelMemoryTCP: 0,
  }
}

/** Names of containers in networks are told since 1.44, priorities of gateways since 1.48. */
function endpointsBefore(settings: JsonObject, minor: number): JsonObject {
  const { Networks } = settings
  if (!isJsonObject(Networks)) return settings
  const endpoints = Object.entries(Networks).map(([name, endpoint]) => {
    if (!isJsonObject(endpoint)) return [name, endpoint] as const
    const { DNSNames, GwPriority, ...others } = endpoint
    const known = {
      ...(minor < 44 || DNSNames === undefined ? {} : { DNSNames }),
      ...(minor < 48 || GwPriority === undefined ? {} : { GwPriority }),
    }
    return [name, { ...others, ...known }] as const
  })
  return { ...settings, Networks: Object.fromEntries(endpoints) as JsonObject }
}
