import type { JsonObject } from '#core'
import { withFormerFields } from '#engine/networks'
import type { ApiVersion } from '../http/api-version.ts'

/** The document of a container as clients of a version expect it. */
export function inContainerVersion(document: JsonObject, { minor }: ApiVersion): JsonObject {
  const { NetworkSettings } = document
  if (minor >= 52) return document
  return { ...document, NetworkSettings: withFormerFields(NetworkSettings as JsonObject) }
}
