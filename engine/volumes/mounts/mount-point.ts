import type { ContainerMount, MountSpec } from '#engine/model'
import type { PlannedBind, PlannedCopy, PlannedImage, PlannedTmpfs } from './planned-mount.ts'

/** What is kept of a mount that needs no volume; `undefined` where the request alone says it. Spec: Docker Engine API, MountPoint */
export function pointOf(
  planned: PlannedBind | PlannedTmpfs | PlannedImage | PlannedCopy,
): ContainerMount | undefined {
  const { destination: Destination, mode: Mode, isReadonly } = planned
  const common = { Source: '', Destination, Mode, RW: !isReadonly, Propagation: '' }
  switch (planned.kind) {
    case 'bind': {
      const { source: Source, propagation: Propagation } = planned
      return { Type: 'bind', ...common, Source, Propagation, ...withSpec(bindSpec(planned)) }
    }
    case 'tmpfs':
      return planned.isShown
        ? { Type: 'tmpfs', ...common, spec: { options: planned.options } }
        : undefined
    case 'image':
      return {
        ...{ Type: 'image', ...common, Name: planned.image, Propagation: 'rprivate' },
        ...withSpec(partSpec(planned)),
      }
    case 'copy':
      return { ...planned.point, Mode, RW: !isReadonly }
  }
}

/** Absent where there is nothing to say. */
export function withSpec(spec: MountSpec): Pick<ContainerMount, 'spec'> {
  return Object.keys(spec).length === 0 ? {} : { spec }
}

/** Of what may be shown in part. */
export function partSpec({ subpath }: { readonly subpath?: string }): MountSpec {
  return subpath === undefined ? {} : { subpath }
}

function bindSpec({ isRecursive, writableBelow, makesSource }: PlannedBind): MountSpec {
  return {
    ...(isRecursive ? {} : { isFlat: true }),
    ...(writableBelow === undefined ? {} : { writableBelow }),
    ...(makesSource ? { makesSource } : {}),
  }
}
