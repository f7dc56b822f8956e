import type { JsonObject } from '#core'
import type { FoundPackages } from '../package/found-packages.ts'
import { cycloneDx } from './cyclonedx.ts'
import type { DocumentOptions } from './document-options.ts'
import { spdx } from './spdx.ts'

/** A format of lists of packages. */
export type SbomFormat = 'spdx' | 'cyclonedx'

/** A list of packages as a document. */
export function sbomDocument(
  found: FoundPackages,
  { format, ...options }: DocumentOptions & { readonly format: SbomFormat },
): JsonObject {
  return format === 'spdx' ? spdx(found, options) : cycloneDx(found, options)
}
