import { type DiffId, isDigest, parseDiffId } from './digest.ts'
import { TsbuildError } from './errors.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from './json.ts'
import type { Platform } from './platform.ts'
import { readPlatform } from './platform-json.ts'

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
}

/** @throws {TsbuildError} CONFIG_INVALID */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const document = parseJson(bytes, 'image config', 'CONFIG_INVALID')
  if (!isJsonObject(document)) throw invalid('not a JSON object')
  const { created, author } = document
  return {
    platform: readPlatform(document),
    ...(typeof created === 'string' ? { created } : {}),
    ...(typeof author === 'string' && author !== '' ? { author } : {}),
    config: parseContainerConfig(document.config),
    diffIds: parseDiffIds(document.rootfs),
    history: parseHistory(document.history),
  }
}

/** The bytes whose digest is the image ID: top-level keys sorted, `config` in Docker's order. */
export function serializeImageConfig(image: ImageConfig): Buffer {
  const { platform, created, author, config, diffIds, history } = image
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

function parseContainerConfig(value: Json | undefined): ContainerConfig {
  if (value === undefined || value === null) return {}
  if (!isJsonObject(value)) throw invalid('config is not an object')
  const strings = ['User', 'WorkingDir', 'StopSignal'] as const
  const lists = ['Env', 'Entrypoint', 'Cmd', 'OnBuild', 'Shell'] as const
  const sets = ['ExposedPorts', 'Volumes'] as const
  const config: Record<string, Json> = {}
  for (const key of strings) {
    const field = value[key]
    if (typeof field === 'string' && field !== '') config[key] = field
  }
  for (const key of lists) {
    const field = value[key]
    if (field !== undefined && field !== null) config[key] = stringList(field, key)
  }
  for (const key of sets) {
    const field = value[key]
    if (isJsonObject(field)) {
      config[key] = Object.fromEntries(Object.keys(field).map((name) => [name, {}]))
    }
  }
  if (isJsonObject(value.Labels)) config.Labels = stringMap(value.Labels, 'Labels')
  if (value.ArgsEscaped === true) config.ArgsEscaped = true
  if (isJsonObject(value.Healthcheck)) config.Healthcheck = healthcheck(value.Healthcheck)
  return config as ContainerConfig
}

function healthcheck(value: JsonObject): JsonObject {
  const numbers = ['Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries']
  const { Test } = value
  return {
    ...(Test === undefined || Test === null ? {} : { Test: stringList(Test, 'Healthcheck.Test') }),
    ...Object.fromEntries(
      numbers.flatMap((key) => (typeof value[key] === 'number' ? [[key, value[key]]] : [])),
    ),
  }
}

function stringList(value: Json, where: string): readonly string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw invalid(`${where} is not a list of strings`)
  }
  return value as readonly string[]
}

function stringMap(value: JsonObject, where: string): Record<string, string> {
  const entries = Object.entries(value)
  if (!entries.every(([, item]) => typeof item === 'string')) {
    throw invalid(`${where} is not a map of strings`)
  }
  return Object.fromEntries(entries) as Record<string, string>
}

function parseDiffIds(rootfs: Json | undefined): readonly DiffId[] {
  if (!isJsonObject(rootfs)) throw invalid('rootfs is missing')
  const diffIds = rootfs.diff_ids ?? []
  if (!Array.isArray(diffIds)) throw invalid('rootfs.diff_ids is not a list')
  return diffIds.map((item: Json) => {
    if (typeof item !== 'string' || !isDigest(item)) throw invalid('a diffID is not a digest')
    return parseDiffId(item)
  })
}

function parseHistory(value: Json | undefined): readonly HistoryEntry[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw invalid('history is not a list')
  return value.map((item: Json) => {
    if (!isJsonObject(item)) throw invalid('a history entry is not an object')
    const { created, created_by, author, comment, empty_layer } = item
    return {
      ...(typeof created === 'string' ? { created } : {}),
      ...(typeof created_by === 'string' ? { created_by } : {}),
      ...(typeof author === 'string' && author !== '' ? { author } : {}),
      ...(typeof comment === 'string' && comment !== '' ? { comment } : {}),
      ...(empty_layer === true ? { empty_layer } : {}),
    }
  })
}

function invalid(message: string): TsbuildError {
  return new TsbuildError(`invalid image config: ${message}`, { code: 'CONFIG_INVALID' })
}
