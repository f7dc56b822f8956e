import type { MountPoint } from '#engine/model'
import type { PlannedBind, PlannedCopy, PlannedImage, PlannedTmpfs } from './planned-mount.ts'

/** A mount that needs no volume as inspect shows it; `undefined`: it does not. Spec: Docker Engine API, MountPoint */
export function pointOf(
  planned: PlannedBind | PlannedTmpfs | PlannedImage | PlannedCopy,
): MountPoint | undefined {
  const { destination: Destination, mode: Mode, isReadonly } = planned
  const common = { Source: '', Destination, Mode, RW: !isReadonly, Propagation: '' }
  switch (planned.kind) {
    case 'bind': {
      const { source: Source, propagation: Propagation } = planned
      return { Type: 'bind', ...common, Source, Propagation }
    }
    case 'tmpfs':
      return planned.isShown ? { Type: 'tmpfs', ...common } : undefined
    case 'image':
      return { Type: 'image', ...common, Name: planned.image, Propagation: 'rprivate' }
    case 'copy':
      return { ...planned.point, Mode, RW: !isReadonly }
  }
}
