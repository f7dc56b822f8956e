import { TsbuildError } from '../errors.ts'
import { readDocument } from '../json/document.ts'
import { isJsonObject, type Json, type JsonObject } from '../json/json.ts'
import { shapes } from '../json/shape.ts'
import { asDiffId, type DiffId, isDigest } from './digest.ts'
import type { Platform } from './platform.ts'
import { PLATFORM_FIELDS, toPlatform } from './platform-json.ts'

/** Durations are nanoseconds. Docker's extension to the image config. */
export interface Healthcheck {
  readonly Test?: readonly string[]
  readonly Interval?: number
  readonly Timeout?: number
  readonly StartPeriod?: number
  readonly StartInterval?: number
  readonly Retries?: number
}

/** What a container made from the image starts with. Spec: image-spec v1.1 config.md#properties */
export interface ContainerConfig {
  readonly User?: string
  readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>
  readonly Env?: readonly string[]
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly Volumes?: Readonly<Record<string, Record<string, never>>>
  readonly WorkingDir?: string
  readonly Labels?: Readonly<Record<string, string>>
  readonly StopSignal?: string
  readonly ArgsEscaped?: boolean
  readonly Healthcheck?: Healthcheck
  readonly OnBuild?: readonly string[]
  readonly Shell?: readonly string[]
}

/** How one layer, or a change of the config, came about. Spec: image-spec v1.1 config.md#properties */
export interface HistoryEntry {
  /** RFC 3339. */
  readonly created?: string
  readonly created_by?: string
  readonly author?: string
  readonly comment?: string
  readonly empty_layer?: boolean
}

/** The image config; its digest is the image ID. Spec: image-spec v1.1 config.md */
export interface ImageConfig {
  /** As claimed: a system or architecture that is not named is `''`. */
  readonly platform: Platform
  /** RFC 3339. */
  readonly created?: string
  readonly author?: string
  readonly config: ContainerConfig
  readonly diffIds: readonly DiffId[]
  readonly history: readonly HistoryEntry[]
  /** Results of the image's steps, for other machines; only written, since a base's are not inherited. */
  readonly results?: Json | undefined
}

/** The field of a config that holds results of steps: one of our own, which other programs leave alone. */
export const RESULTS_FIELD = 'tsbuild.cache.v1'

const { boolean, integer, list, map, object, string } = shapes

const CONTAINER_CONFIG = object({
  User: string,
  ExposedPorts: map(object({})),
  Env: list(string),
  Entrypoint: list(string),
  Cmd: list(string),
  Volumes: map(object({})),
  WorkingDir: string,
  Labels: map(string),
  StopSignal: string,
  ArgsEscaped: boolean,
  Healthcheck: object({
    Test: list(string),
    Interval: integer,
    Timeout: integer,
    StartPeriod: integer,
    StartInterval: integer,
    Retries: integer,
  }),
  OnBuild: list(string),
  Shell: list(string),
})

const HISTORY_ENTRY = object({
  created: string,
  created_by: string,
  author: string,
  comment: string,
  empty_layer: boolean,
})

const IMAGE_CONFIG = object({
  ...PLATFORM_FIELDS,
  created: string,
  author: string,
  config: CONTAINER_CONFIG,
  rootfs: object({ type: string, diff_ids: list(string) }),
  history: list(HISTORY_ENTRY),
})

/** @throws {TsbuildError} CONFIG_INVALID */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const document = readDocument(bytes, IMAGE_CONFIG, {
    what: 'image config',
    code: 'CONFIG_INVALID',
  })
  const { created, author, rootfs = {}, history = [] } = document
  return {
    platform: toPlatform(document),
    ...(created === undefined ? {} : { created }),
    ...(author ? { author } : {}),
    config: withoutEmpty(document.config ?? {}, [
      'User',
      'WorkingDir',
      'StopSignal',
      'ArgsEscaped',
    ]),
    diffIds: (rootfs.diff_ids ?? []).map(toDiffId),
    history: history.map((entry) => withoutEmpty(entry, ['author', 'comment', 'empty_layer'])),
  }
}

function toDiffId(text: string): DiffId {
  if (isDigest(text)) return asDiffId(text)
  throw new TsbuildError('invalid image config: a diffID is not a digest', {
    code: 'CONFIG_INVALID',
  })
}

/** Without those of the fields that are empty or false. */
function withoutEmpty<T extends object>(fields: T, omitted: readonly (keyof T)[]): T {
  const kept = { ...fields }
  for (const key of omitted) if (!kept[key]) delete kept[key]
  return kept
}

/** The bytes whose digest is the image ID: top-level keys sorted, `config` in Docker's order. */
export function serializeImageConfig(image: ImageConfig): Buffer {
  const { platform, created, author, config, diffIds, history, results } = image
  const features = platform['os.features'] ?? []
  return Buffer.from(
    JSON.stringify({
      architecture: platform.architecture,
      ...(author === undefined ? {} : { author }),
      config: orderedConfig(config),
      ...(created === undefined ? {} : { created }),
      history,
      os: platform.os,
      ...(features.length === 0 ? {} : { 'os.features': features }),
      ...(platform['os.version'] === undefined ? {} : { 'os.version': platform['os.version'] }),
      rootfs: { type: 'layers', diff_ids: diffIds },
      ...(results === undefined ? {} : { [RESULTS_FIELD]: results }),
      ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    }),
  )
}

/** Empty lists, maps and strings are left out, as Docker's `omitempty` does. */
function orderedConfig(config: ContainerConfig): JsonObject {
  const fields: readonly (keyof ContainerConfig)[] = [
    'User',
    'ExposedPorts',
    'Env',
    'Entrypoint',
    'Cmd',
    'Volumes',
    'WorkingDir',
    'Labels',
    'StopSignal',
    'ArgsEscaped',
    'Healthcheck',
    'OnBuild',
    'Shell',
  ]
  const entries = fields.flatMap((field) => {
    const value = config[field] as Json | undefined
    return value === undefined || isEmpty(value) ? [] : [[field, sorted(value)] as const]
  })
  return Object.fromEntries(entries)
}

function isEmpty(value: Json): boolean {
  if (value === '' || value === false) return true
  if (Array.isArray(value)) return value.length === 0
  return isJsonObject(value) && Object.keys(value).length === 0
}

function sorted(value: Json): Json {
  if (!isJsonObject(value) || 'Test' in value) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, value[key] ?? null]),
  )
}
