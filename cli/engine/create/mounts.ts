import { isAbsolute, resolve } from 'node:path'
import { parseBoolean } from '#core'
import type { MountRequest } from '#engine/model'
import { usageError } from '../../arguments/flags.ts'
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

type Draft = {
  -readonly [Name in keyof MountRequest]: MountRequest[Name]
}

/** `--mount`: settings in CSV. @throws {TsbuildError} USAGE */
export function parseMount(text: string): MountRequest {
  const draft: Draft = { Type: 'volume' }
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
    set(draft, field.includes('=') ? value : 'true', name)
  }
  return checked(draft, text)
}

function checked(draft: Draft, text: string): MountRequest {
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

type Setter = (draft: Draft, value: string, name: string) => void

const setSource: Setter = (draft, value) => {
  draft.Source =
    value === '.' || value.startsWith('./') || value.startsWith('../') ? resolve(value) : value
}
const setTarget: Setter = (draft, value) => {
  if (value !== '' && !isAbsolute(value)) {
    throw usageError(`invalid mount path: '${value}' mount path must be absolute`)
  }
  draft.Target = value
}
const setReadOnly: Setter = (draft, value, name) => {
  draft.ReadOnly = switched(value, name)
}

const SWITCHES: ReadonlySet<string> = new Set([
  'readonly',
  'ro',
  'volume-nocopy',
  'bind-nonrecursive',
])

const SETTINGS: ReadonlyMap<string, Setter> = new Map<string, Setter>([
  ['type', (draft, value) => void (draft.Type = value.toLowerCase())],
  ['source', setSource],
  ['src', setSource],
  ['target', setTarget],
  ['dst', setTarget],
  ['destination', setTarget],
  ['readonly', setReadOnly],
  ['ro', setReadOnly],
  ['consistency', (draft, value) => void (draft.Consistency = value.toLowerCase())],
  ['bind-propagation', (draft, value) => bind(draft, { Propagation: value.toLowerCase() })],
  [
    'bind-nonrecursive',
    (draft, value, name) => bind(draft, { NonRecursive: switched(value, name) }),
  ],
  ['bind-recursive', setRecursive],
  [
    'bind-create-src',
    (draft, value, name) => bind(draft, { CreateMountpoint: switched(value, name) }),
  ],
  ['volume-nocopy', (draft, value, name) => volume(draft, { NoCopy: switched(value, name) })],
  ['volume-subpath', (draft, value) => volume(draft, { Subpath: value })],
  [
    'volume-label',
    (draft, value) =>
      volume(draft, {
        Labels: { ...draft.VolumeOptions?.Labels, ...Object.fromEntries([splitPair(value)]) },
      }),
  ],
  [
    'volume-driver',
    (draft, value) =>
      volume(draft, { DriverConfig: { ...draft.VolumeOptions?.DriverConfig, Name: value } }),
  ],
  [
    'volume-opt',
    (draft, value) => {
      const { DriverConfig } = draft.VolumeOptions ?? {}
      const Options = { ...DriverConfig?.Options, ...Object.fromEntries([splitPair(value)]) }
      volume(draft, { DriverConfig: { ...DriverConfig, Options } })
    },
  ],
  ['image-subpath', (draft, value) => void (draft.ImageOptions = { Subpath: value })],
  [
    'tmpfs-size',
    (draft, value) =>
      void (draft.TmpfsOptions = { ...draft.TmpfsOptions, SizeBytes: parseSize(value, 'mount') }),
  ],
  ['tmpfs-mode', setMode],
])

function bind(draft: Draft, options: NonNullable<MountRequest['BindOptions']>): void {
  draft.BindOptions = { ...draft.BindOptions, ...options }
}

function volume(draft: Draft, options: NonNullable<MountRequest['VolumeOptions']>): void {
  draft.VolumeOptions = { ...draft.VolumeOptions, ...options }
}

function setRecursive(draft: Draft, value: string): void {
  const options: Readonly<Record<string, NonNullable<MountRequest['BindOptions']>>> = {
    enabled: {},
    disabled: { NonRecursive: true },
    writable: { ReadOnlyNonRecursive: true },
    readonly: { ReadOnlyForceRecursive: true },
  }
  const found = options[value]
  if (found === undefined) {
    throw usageError(
      `invalid value for bind-recursive: ${value} (must be "enabled", "disabled", "writable", or "readonly")`,
    )
  }
  bind(draft, found)
}

function setMode(draft: Draft, value: string): void {
  if (!/^[0-7]+$/.test(value)) throw usageError(`invalid value for tmpfs-mode: ${value}`)
  draft.TmpfsOptions = { ...draft.TmpfsOptions, Mode: Number.parseInt(value, 8) }
}

function switched(value: string, name: string): boolean {
  const isOn = parseBoolean(value)
  if (isOn === undefined) throw usageError(`invalid value for ${name}: ${value}`)
  return isOn
}
