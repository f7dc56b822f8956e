import { posix } from 'node:path'
import type { MountRequest } from '#engine/model'
import { absoluteFault, destinationFault } from './destination.ts'
import { mountError } from './mount-error.ts'

/** Fields that belong to one type of mount. */
const OPTIONS = ['BindOptions', 'VolumeOptions', 'ImageOptions', 'TmpfsOptions'] as const
type OptionsField = (typeof OPTIONS)[number]

const OWN_FIELD: Readonly<Record<string, OptionsField>> = {
  bind: 'BindOptions',
  volume: 'VolumeOptions',
  image: 'ImageOptions',
  tmpfs: 'TmpfsOptions',
}

export const PROPAGATIONS: ReadonlySet<string> = new Set([
  'private',
  'rprivate',
  'slave',
  'rslave',
  'shared',
  'rshared',
])

/**
 * What docker refuses in an entry of `HostConfig.Mounts`, whatever the machine has.
 * Spec: moby daemon/volume/mounts/linux_parser.go
 * @throws {TsbuildError} USAGE in docker's words
 */
export function checkMount(request: MountRequest): void {
  const fault = faultOf(request)
  if (fault !== undefined) throw configError(request, fault)
}

/** @returns an error that says which type of mount is wrong */
export function configError({ Type = '' }: MountRequest, fault: string): Error {
  return mountError(`invalid mount config for type "${Type}": ${fault}`)
}

function faultOf(request: MountRequest): string | undefined {
  const { Type = '', Target = '' } = request
  if (Target === '') return 'field Target must not be empty'
  const fault = destinationFault(Target)
  if (fault !== undefined) return fault
  const own = Object.hasOwn(OWN_FIELD, Type) ? OWN_FIELD[Type] : undefined
  if (own === undefined) return 'mount type unknown'
  return sourceFault(request) ?? extraField(request, own) ?? optionsFault(request)
}

function sourceFault({ Type, Source = '' }: MountRequest): string | undefined {
  const isNamed = Type === 'bind' || Type === 'image'
  if (isNamed && Source === '') return 'field Source must not be empty'
  if (Type === 'tmpfs' && Source !== '') return 'field Source must not be specified'
  return undefined
}

function extraField(request: MountRequest, own: OptionsField): string | undefined {
  const extra = OPTIONS.find((field) => field !== own && request[field] !== undefined)
  return extra && `field ${extra} must not be specified`
}

function optionsFault(request: MountRequest): string | undefined {
  switch (request.Type) {
    case 'bind':
      return propagationFault(request) ?? absoluteFault(request.Source ?? '')
    case 'volume':
      return subpathFault(request.VolumeOptions?.Subpath, request.Source ?? '')
    case 'image':
      return subpathFault(request.ImageOptions?.Subpath, request.Source ?? '')
    default:
      return tmpfsFault(request)
  }
}

function propagationFault({ BindOptions }: MountRequest): string | undefined {
  const { Propagation = '' } = BindOptions ?? {}
  if (Propagation === '' || PROPAGATIONS.has(Propagation)) return undefined
  return `invalid propagation mode: ${Propagation}`
}

function subpathFault(subpath = '', source: string): string | undefined {
  if (subpath === '') return undefined
  if (source === '') return 'must not set Subpath when using anonymous volumes'
  if (!/^\/|^\.\.(?:\/|$)/.test(posix.normalize(subpath))) return undefined
  return 'subpath must be a relative path within the volume'
}

/** `exec` and `noexec` are all that there is, whatever comes after them. */
function tmpfsFault({ TmpfsOptions }: MountRequest): string | undefined {
  for (const option of TmpfsOptions?.Options ?? []) {
    const [name = '', ...values] = option
    if (option.length === 0 || values.length > 1) return 'invalid option array length'
    if (!/^(?:no)?exec$/.test(name)) return `invalid option: ${name}`
  }
  return undefined
}
