import { openNullDevice } from './null-device.ts'
import { type PackTask, packLayer, type SizedLayer } from './pack-layer.ts'

/** The digest of what `packLayer` would write. */
export function digestLayer({ directory, lowers }: Omit<PackTask, 'tar'>): SizedLayer {
  using nullDevice = openNullDevice()
  return packLayer({ directory, lowers, tar: nullDevice.descriptor })
}
