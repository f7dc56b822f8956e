import type { JsonObject } from './json.ts'
import type { Platform } from './platform.ts'

/** The platform fields of a descriptor or an image config; a system or architecture not given is `''`. */
export function readPlatform(document: JsonObject): Platform {
  const { os, architecture, variant } = document
  const { 'os.version': version, 'os.features': features } = document
  const list = Array.isArray(features) ? features.filter((one) => typeof one === 'string') : []
  return {
    os: typeof os === 'string' ? os : '',
    architecture: typeof architecture === 'string' ? architecture : '',
    ...(typeof variant === 'string' && variant !== '' ? { variant } : {}),
    ...(typeof version === 'string' && version !== '' ? { 'os.version': version } : {}),
    ...(list.length > 0 ? { 'os.features': list } : {}),
  }
}
