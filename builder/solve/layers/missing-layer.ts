import type { LayerId } from '#cache'
import { TsbuildError } from '#core'

/** For a layer that a record names and that the store does not have. */
export function missingLayerError(id: LayerId): TsbuildError {
  return new TsbuildError(`layer ${id} is not in the store any more`, {
    code: 'STORE_INVALID',
    hint: 'something else removed it during the build; build again',
  })
}
