import { isAbsolute, resolve } from 'node:path'
import { parseBoolean, usageError } from '#core'
import type { MountRequest } from '#engine/model'
import { argumentError, csvFields, parseSize, splitPair } from './values.ts'

/** What of a create body `--volume` asks for. */
export interface VolumeSettings {
  readonly binds: readonly string[]
  /** Anonymous volumes by their paths. */
  readonly volumes: Readonly<Record<string, Record<string, never>>>
}

/** `--volume`: `[SOURCE:]TARGET[:OPTIONS]`. @throws {TsbuildError} USAGE */
export function parseVolumes(texts: readonly string[]): VolumeSettings {
  const binds: string[] = []
  const volumes: Record<string, Record<string, never>> = {}
  for (const text of new Set(texts)) {
    const parts = text.split(':')
    if (parts.length > 3) throw usageError(`invalid spec: ${text}: too many colons`)
    if (text === '') throw usageError('invalid empty volume spec')
    if (parts.includes('')) throw usageError(`invalid spec: ${text}: empty section between colons`)
    const [source = '', ...rest] = parts
    if (rest.length === 0) volumes[source] = {}
    else binds.push([source.startsWith('.') ? resolve(source) : source, ...rest].join(':'))
  }
  return { binds, volumes }
}

/** `--tmpfs`: options by paths. */
export function parseTmpfs(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf(':')
      return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}

/** `--mount`: settings in CSV. @throws {TsbuildError} USAGE */
export function parseMount(text: string): MountRequest {
  let draft: MountRequest = { Type: 'volume' }
  for (const field of csvFields(text)) {
    const [name, value] = splitPair(field)
    const set = SETTINGS.get(name.toLowerCase())
    if (set === undefined) {
      const reason = field.includes('=')
        ? `unexpected key '${name}' in '${field}'`
        : `invalid field '${field}' must be a key=value pair`
      throw argumentError('mount', text, reason)
    }
    const isSwitch = SWITCHES.has(name.toLowerCase())
    if (!field.includes('=') && !isSwitch) {
      throw argumentError('mount', text, `invalid field '${field}' must be a key=value pair`)
    }
    draft = { ...draft, ...set(field.includes('=') ? value : 'true', draft, name) }
  }
  return checked(draft, text)
}

function checked(draft: MountRequest, text: string): MountRequest {
  const { Type: type, Target, BindOptions, VolumeOptions, ImageOptions, TmpfsOptions } = draft
  if (type === '') throw argumentError('mount', text, 'type is required')
  if (!Target) throw argumentError('mount', text, 'target is required')
  const wrong = [
    VolumeOptions !== undefined && type !== 'volume' ? 'volume' : undefined,
    BindOptions !== undefined && type !== 'bind' ? 'bind' : undefined,
    TmpfsOptions !== undefined && type !== 'tmpfs' ? 'tmpfs' : undefined,
    ImageOptions !== undefined && type !== 'image' ? 'image' : undefined,
  ].find((one) => one !== undefined)
  if (wrong !== undefined) {
    throw argumentError('mount', text, `cannot mix '${wrong}-*' options with mount type '${type}'`)
  }
  const { ReadOnlyNonRecursive, ReadOnlyForceRecursive, Propagation } = BindOptions ?? {}
  if (draft.ReadOnly !== true && (ReadOnlyNonRecursive || ReadOnlyForceRecursive)) {
    const kind = ReadOnlyNonRecursive ? 'writable' : 'readonly'
    throw argumentError(
      'mount',
      text,
      `option 'bind-recursive=${kind}' requires 'readonly' to be specified in conjunction`,
    )
  }
  if (ReadOnlyForceRecursive && Propagation !== 'rprivate') {
    throw argumentError(
      'mount',
      text,
      "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction",
    )
  }
  return draft
}

/** What a setting adds to those before it. */
type Setter = (value: string, draft: MountRequest, name: string) => MountRequest

const setSource: Setter = (value) => ({
  Source: /^\.{1,2}(?:\/|$)/.test(value) ? resolve(value) : value,
})
const setTarget: Setter = (value) => {
  if (value !== '' && !isAbsolute(value)) {
    throw usageError(`invalid mount path: '${value}' mount path must be absolute`)
  }
  return { Target: value }
}
const setReadOnly: Setter = (value, _draft, name) => ({ ReadOnly: switched(value, name) })

const SWITCHES: ReadonlySet<string> = new Set([
  'readonly',
  'ro',
  'volume-nocopy',
  'bind-nonrecursive',
])

const SETTINGS: ReadonlyMap<string, Setter> = new Map<string, Setter>([
  ['type', (value) => ({ Type: value.toLowerCase() })],
  ['source', setSource],
  ['src', setSource],
  ['target', setTarget],
  ['dst', setTarget],
  ['destination', setTarget],
  ['readonly', setReadOnly],
  ['ro', setReadOnly],
  ['consistency', (value) => ({ Consistency: value.toLowerCase() })],
  ['bind-propagation', (value, draft) => bind(draft, { Propagation: value.toLowerCase() })],
  [
    'bind-nonrecursive',
    (value, draft, name) => bind(draft, { NonRecursive: switched(value, name) }),
  ],
  ['bind-recursive', (value, draft) => bind(draft, recursionOf(value))],
  [
    'bind-create-src',
    (value, draft, name) => bind(draft, { CreateMountpoint: switched(value, name) }),
  ],
  ['volume-nocopy', (value, draft, name) => volume(draft, { NoCopy: switched(value, name) })],
  ['volume-subpath', (value, draft) => volume(draft, { Subpath: value })],
  [
    'volume-label',
    (value, draft) => volume(draft, { Labels: withPair(draft.VolumeOptions?.Labels, value) }),
  ],
  ['volume-driver', (value, draft) => driver(draft, { Name: value })],
  [
    'volume-opt',
    (value, draft) =>
      driver(draft, { Options: withPair(draft.VolumeOptions?.DriverConfig?.Options, value) }),
  ],
  ['image-subpath', (value) => ({ ImageOptions: { Subpath: value } })],
  ['tmpfs-size', (value, draft) => tmpfs(draft, { SizeBytes: parseSize(value, 'mount') })],
  ['tmpfs-mode', (value, draft) => tmpfs(draft, { Mode: modeOf(value) })],
])

type Options<Name extends keyof MountRequest> = NonNullable<MountRequest[Name]>

function bind(draft: MountRequest, options: Options<'BindOptions'>): MountRequest {
  return { BindOptions: { ...draft.BindOptions, ...options } }
}

function volume(draft: MountRequest, options: Options<'VolumeOptions'>): MountRequest {
  return { VolumeOptions: { ...draft.VolumeOptions, ...options } }
}

function driver(
  draft: MountRequest,
  settings: NonNullable<Options<'VolumeOptions'>['DriverConfig']>,
): MountRequest {
  return volume(draft, { DriverConfig: { ...draft.VolumeOptions?.DriverConfig, ...settings } })
}

function tmpfs(draft: MountRequest, options: Options<'TmpfsOptions'>): MountRequest {
  return { TmpfsOptions: { ...draft.TmpfsOptions, ...options } }
}

function withPair(
  pairs: Readonly<Record<string, string>> | undefined,
  text: string,
): Readonly<Record<string, string>> {
  return { ...pairs, ...Object.fromEntries([splitPair(text)]) }
}

const RECURSIONS: ReadonlyMap<string, Options<'BindOptions'>> = new Map([
  ['enabled', {}],
  ['disabled', { NonRecursive: true }],
  ['writable', { ReadOnlyNonRecursive: true }],
  ['readonly', { ReadOnlyForceRecursive: true }],
])

function recursionOf(value: string): Options<'BindOptions'> {
  const found = RECURSIONS.get(value)
  if (found !== undefined) return found
  throw usageError(
    `invalid value for bind-recursive: ${value} (must be "enabled", "disabled", "writable", or "readonly")`,
  )
}

function modeOf(value: string): number {
  if (!/^[0-7]+$/.test(value)) throw usageError(`invalid value for tmpfs-mode: ${value}`)
  return Number.parseInt(value, 8)
}

function switched(value: string, name: string): boolean {
  const isOn = parseBoolean(value)
  if (isOn === undefined) throw usageError(`invalid value for ${name}: ${value}`)
  return isOn
}
