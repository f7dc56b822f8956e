import type { MountPropagation } from '#core'
import type { ContainerMount, HostConfig, MountRequest } from '#engine/model'
import { checkMount, configError } from './check-mount.ts'
import { checkDestination, cleanPath } from './destination.ts'
import { mountError } from './mount-error.ts'
import { checkMode, parseBind } from './parse-bind.ts'
import type { PlannedCopy, PlannedMount, PlannedTmpfs } from './planned-mount.ts'

/** What a container asks for. */
export interface MountsRequest {
  readonly hostConfig: Pick<
    HostConfig,
    'Binds' | 'Mounts' | 'Tmpfs' | 'VolumesFrom' | 'VolumeDriver'
  >
  /** Where the image and the request declare volumes. */
  readonly volumes: readonly string[]
}

/** What has to be known for it. */
export interface MountsContext {
  /** The mounts of another container. @throws {TsbuildError} NOT_FOUND */
  readonly mountsOf: (container: string) => readonly ContainerMount[]
  /** Whether the host has something at a path. */
  readonly exists: (path: string) => boolean
}

const DEFAULT_DRIVER = 'local'

/**
 * What is to be mounted, in docker's order: what other containers have gives way to what is asked for, and declared
 * volumes to both. Pure but for the context. Spec: moby daemon/volumes.go
 * @returns parents before what is mounted in them
 * @throws {TsbuildError} USAGE in docker's words, NOT_FOUND
 */
export function planMounts(
  { hostConfig, volumes }: MountsRequest,
  context: MountsContext,
): readonly PlannedMount[] {
  const { Binds = [], Mounts = [], Tmpfs = {}, VolumesFrom = [], VolumeDriver } = hostConfig
  const driver = VolumeDriver || DEFAULT_DRIVER
  const planned = new Map<string, PlannedMount>()
  for (const text of VolumesFrom) {
    for (const copy of copiesOf(text, context)) planned.set(copy.destination, copy)
  }
  const tmpfs = Object.entries(Tmpfs).map(([path, options]) => planTmpfs(path, options))
  const asked = new Set<string>()
  const add = (mount: PlannedMount, written: string): void => {
    const { destination } = mount
    if (asked.has(destination)) throw mountError(`Duplicate mount point: ${written}`)
    asked.add(destination)
    planned.set(destination, mount)
  }
  const inMemory = new Set(tmpfs.map(({ destination }) => destination))
  for (const text of Binds) {
    const bind = parseBind(text, driver)
    if (inMemory.has(bind.destination)) {
      throw mountError(`Duplicate mount point: ${bind.destination}`)
    }
    add(bind, bind.destination)
  }
  for (const request of Mounts) add(planMount(request, context), request.Target ?? '')
  // As docker has it, one among the mounts wins.
  for (const mount of tmpfs) {
    if (!asked.has(mount.destination)) planned.set(mount.destination, mount)
  }
  for (const path of volumes) {
    const volume = planDeclared(path, driver)
    if (!planned.has(volume.destination)) planned.set(volume.destination, volume)
  }
  return [...planned.values()].sort(byDestination)
}

/** Parents first. */
function byDestination(one: PlannedMount, other: PlannedMount): number {
  return one.destination < other.destination ? -1 : 1
}

/** An entry of `VolumesFrom`: `CONTAINER[:MODE]`. */
function copiesOf(text: string, { mountsOf }: MountsContext): readonly PlannedCopy[] {
  const [container = '', mode = 'rw'] = splitOnce(text)
  if (container === '') throw mountError('volumes-from specification cannot be an empty string')
  checkMode(mode)
  const isReadonly = mode.split(',').includes('ro')
  return mountsOf(container).map((point) => ({
    ...{ kind: 'copy', destination: point.Destination, mode: '' },
    isReadonly: isReadonly || !point.RW,
    point,
  }))
}

function splitOnce(text: string): readonly string[] {
  const at = text.indexOf(':')
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

/** An entry of `Tmpfs`. @throws {TsbuildError} USAGE */
export function planTmpfs(path: string, options: string): PlannedTmpfs {
  return {
    ...{ kind: 'tmpfs', destination: checkDestination(path), mode: '', isShown: false },
    // Whether it can be written to is one of its options.
    isReadonly: false,
    options: options === '' ? [] : options.split(','),
  }
}

function planDeclared(path: string, driver: string): PlannedMount {
  const destination = checkDestination(path.startsWith('/') ? path : `/${path}`)
  const common = { destination, isReadonly: false, mode: '' }
  return { kind: 'volume', ...common, name: undefined, driver, isFilled: true }
}

function planMount(request: MountRequest, { exists }: MountsContext): PlannedMount {
  checkMount(request)
  const { Type, Source = '', Target = '', ReadOnly = false } = request
  const common = { destination: cleanPath(Target), isReadonly: ReadOnly, mode: '' }
  switch (Type) {
    case 'bind':
      return { ...common, ...planBindMount(request, exists) }
    case 'volume':
      return { ...common, ...planVolumeMount(request) }
    case 'image': {
      const { Subpath: subpath = '' } = request.ImageOptions ?? {}
      const part = subpath === '' ? {} : { subpath }
      return { ...common, ...part, kind: 'image', image: Source, isReadonly: true }
    }
    default: {
      const { SizeBytes = 0, Mode = 0, Options = [] } = request.TmpfsOptions ?? {}
      const options = [
        ...(ReadOnly ? ['ro'] : []),
        ...(SizeBytes > 0 ? [`size=${SizeBytes}`] : []),
        ...(Mode > 0 ? [`mode=${Mode.toString(8)}`] : []),
        ...Options.map(([name = '']) => name),
      ]
      return { ...common, kind: 'tmpfs', options, isShown: true }
    }
  }
}

function planBindMount(
  request: MountRequest,
  exists: MountsContext['exists'],
): Omit<PlannedMount & { readonly kind: 'bind' }, 'destination' | 'isReadonly' | 'mode'> {
  const { Source = '', BindOptions = {} } = request
  const source = cleanPath(Source)
  const makesSource = BindOptions.CreateMountpoint === true
  if (!makesSource && !exists(source)) {
    throw configError(request, `bind source path does not exist: ${Source}`)
  }
  return {
    ...{ kind: 'bind', source, makesSource },
    propagation: (BindOptions.Propagation || 'rprivate') as MountPropagation,
    isRecursive: BindOptions.NonRecursive !== true,
    ...writableBelow(BindOptions),
  }
}

function writableBelow({
  ReadOnlyNonRecursive,
  ReadOnlyForceRecursive,
}: NonNullable<MountRequest['BindOptions']>): { readonly writableBelow?: 'always' | 'never' } {
  if (ReadOnlyNonRecursive === true) return { writableBelow: 'always' }
  return ReadOnlyForceRecursive === true ? { writableBelow: 'never' } : {}
}

function planVolumeMount({
  Source,
  VolumeOptions = {},
}: MountRequest): Omit<PlannedMount & { readonly kind: 'volume' }, 'destination' | 'isReadonly'> {
  const { NoCopy, Labels, Subpath: subpath = '', DriverConfig = {} } = VolumeOptions
  return {
    ...{ kind: 'volume', mode: 'z', name: Source || undefined },
    driver: DriverConfig.Name || DEFAULT_DRIVER,
    ...{ labels: Labels, options: DriverConfig.Options },
    isFilled: NoCopy !== true,
    ...(subpath === '' ? {} : { subpath }),
  }
}
