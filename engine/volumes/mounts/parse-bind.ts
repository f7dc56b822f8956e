import type { MountPropagation } from '#core'
import type { MountRequest } from '#engine/model'
import { checkMount, PROPAGATIONS } from './check-mount.ts'
import { cleanPath } from './destination.ts'
import { mountError } from './mount-error.ts'
import type { PlannedBind, PlannedVolume } from './planned-mount.ts'

/** What a mode can say, each kind once. */
const MODES: readonly ReadonlySet<string>[] = [
  new Set(['rw', 'ro']),
  new Set(['z', 'Z']),
  PROPAGATIONS,
  new Set(['nocopy']),
  new Set(['consistent', 'cached', 'delegated']),
]

/**
 * An entry of `HostConfig.Binds`: `SOURCE:DESTINATION[:MODE]`, where the source is an absolute path or the name of a
 * volume, or `DESTINATION`, for a volume without a name. Spec: moby daemon/volume/mounts/linux_parser.go
 * @throws {TsbuildError} USAGE in docker's words
 */
export function parseBind(text: string, driver: string): PlannedBind | PlannedVolume {
  const { source, target, mode } = splitBind(text)
  checkMode(mode)
  const words = mode.split(',')
  const isBind = source.startsWith('/')
  const propagation = words.find((word) => PROPAGATIONS.has(word))
  const isFilled = !words.includes('nocopy')
  checkBind(text, {
    Type: isBind ? 'bind' : 'volume',
    Source: source,
    Target: target,
    ...(propagation === undefined ? {} : { BindOptions: { Propagation: propagation } }),
    ...(isFilled ? {} : { VolumeOptions: { NoCopy: true } }),
  })
  const common = { destination: cleanPath(target), isReadonly: words.includes('ro') }
  if (!isBind) {
    const name = source === '' ? undefined : source
    return { kind: 'volume', ...common, mode: mode || 'z', name, driver, isFilled }
  }
  return {
    ...{ kind: 'bind', ...common, mode, source: cleanPath(source) },
    propagation: (propagation ?? 'rprivate') as MountPropagation,
    ...{ isRecursive: true, makesSource: true },
  }
}

function splitBind(text: string): Readonly<Record<'source' | 'target' | 'mode', string>> {
  const parts = text.split(':')
  const [first = '', second = '', third = ''] = parts
  if (parts.length > 3 || first === '') throw specificationError(text)
  if (parts.length === 1) return { source: '', target: first, mode: '' }
  if (parts.length === 2 && isMode(second)) throw specificationError(text)
  return { source: first, target: second, mode: third }
}

/** @throws {TsbuildError} USAGE */
export function checkMode(mode: string): void {
  if (!isMode(mode)) throw mountError(`invalid mode: ${mode}`)
}

function isMode(mode: string): boolean {
  if (mode === '') return true
  const words = mode.split(',')
  const isKnown = words.every((word) => MODES.some((kind) => kind.has(word)))
  return isKnown && MODES.every((kind) => words.filter((word) => kind.has(word)).length <= 1)
}

function checkBind(text: string, request: MountRequest): void {
  try {
    checkMount(request)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw mountError(`${specificationError(text).message}: ${reason}`)
  }
}

function specificationError(text: string): Error {
  return mountError(`invalid volume specification: '${text}'`)
}
