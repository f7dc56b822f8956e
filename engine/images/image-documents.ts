import type { Store } from '#cache'
import {
  type ContainerConfig,
  type Descriptor,
  isJsonObject,
  type Json,
  type JsonObject,
  type Platform,
} from '#core'
import { EMPTY_CONFIG, taggedAt } from '#engine/model'
import {
  type EngineImage,
  layerSizes,
  repositoryDigestsOf,
  sizeOf,
  tagsOf,
} from './image/engine-image.ts'

/** Spec: Docker Engine API, OCIDescriptor */
export function descriptorDocument({ annotations: _, ...descriptor }: Descriptor): JsonObject {
  const { mediaType, digest, size, platform } = descriptor
  return {
    mediaType,
    digest,
    size,
    ...(platform === undefined ? {} : { platform: platformDocument(platform) }),
  }
}

/** Spec: Docker Engine API, OCIPlatform */
export function platformDocument({ architecture, os, ...more }: Platform): JsonObject {
  const { variant, 'os.version': version, 'os.features': features } = more
  return {
    architecture,
    os,
    ...(version === undefined ? {} : { 'os.version': version }),
    ...(features === undefined ? {} : { 'os.features': [...features] }),
    ...(variant === undefined ? {} : { variant }),
  }
}

/** Before there is a time, as Go writes it. */
const NO_TIME = '0001-01-01T00:00:00Z'

/**
 * Spec: Docker Engine API, ImageInspect
 * @param minor of the API's version: 41 for 1.41
 */
export function inspectDocument(image: EngineImage, store: Store, minor: number): JsonObject {
  const { id, config, entries, target } = image
  const { platform, created = '' } = config
  const legacy = legacyFields(image)
  const size = sizeOf(store, image)
  const { variant, 'os.version': osVersion } = platform
  return {
    Id: id,
    RepoTags: [...tagsOf(image)],
    RepoDigests: [...repositoryDigestsOf(image)],
    ...optionalFields(image, legacy, minor),
    Created: created === '' && minor < 44 ? NO_TIME : created,
    ...(minor < 45 ? containerFields(legacy) : {}),
    Config: configDocument(config.config, minor),
    Architecture: platform.architecture,
    ...(variant === undefined ? {} : { Variant: variant }),
    Os: platform.os,
    ...(osVersion === undefined ? {} : { OsVersion: osVersion }),
    Size: size,
    ...(minor < 44 ? { VirtualSize: size } : {}),
    GraphDriver: graphDriver(image, store),
    RootFS: {
      Type: 'layers',
      ...(config.diffIds.length > 0 ? { Layers: [...config.diffIds] } : {}),
    },
    Metadata: { LastTagTime: taggedAt(entries) ?? NO_TIME },
    ...(minor < 48 ? {} : { Descriptor: descriptorDocument(target) }),
  }
}

/** Until 1.51 they are there also when they are empty. */
function optionalFields(image: EngineImage, legacy: JsonObject, minor: number): JsonObject {
  const { author = '', history } = image.config
  const fields = {
    Parent: '',
    Comment: textOf(legacy.comment) || (history.at(-1)?.comment ?? ''),
    DockerVersion: textOf(legacy.docker_version),
    Author: author,
  }
  if (minor < 52) return fields
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''))
}

/** What the config says beside the fields of the specification, of images that docker has made. */
function legacyFields({ configBytes }: EngineImage): JsonObject {
  const document = JSON.parse(configBytes.toString()) as Json
  return isJsonObject(document) ? document : {}
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

/** The container that a classic build made an image of. */
function containerFields(legacy: JsonObject): JsonObject {
  const { container, container_config: config } = legacy
  return {
    Container: textOf(container),
    // Today's docker says null as well.
    ContainerConfig: isJsonObject(config) ? { ...EMPTY, ...withoutNulls(config) } : null,
  }
}

function withoutNulls(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null))
}

const EMPTY: JsonObject = { ...EMPTY_CONFIG, OnBuild: null, Labels: null }

/** Of these only what the specification of images has, until 1.51. */
const SPECIFIED = ['User', 'Env', 'Cmd', 'Volumes', 'WorkingDir', 'Entrypoint', 'OnBuild', 'Labels']

function configDocument(config: ContainerConfig, minor: number): JsonObject {
  const own = JSON.parse(JSON.stringify(config)) as JsonObject
  if (minor >= 52) return own
  const names = minor < 50 ? Object.keys(EMPTY) : SPECIFIED
  const empty = names.map((name) => [name, EMPTY[name] ?? null] as const)
  return { ...Object.fromEntries(empty), ...own }
}

/** The folders of an image whose layers are unpacked, as docker's overlay2 tells them. */
function graphDriver({ config }: EngineImage, store: Store): JsonObject {
  const folders = config.diffIds.map((diffId) => {
    const layer = store.layers.findByDiffId(diffId)
    return layer?.directory === true ? store.layers.directory(layer.id) : undefined
  })
  const known = folders.filter((folder) => folder !== undefined)
  const [upper, ...lower] = known.toReversed()
  if (upper === undefined || known.length < folders.length) return { Data: null, Name: 'overlay2' }
  const below = lower.length === 0 ? {} : { LowerDir: lower.join(':') }
  return { Data: { ...below, UpperDir: upper }, Name: 'overlay2' }
}

/** Of all steps but the last, no image is kept. */
const MISSING = '<missing>'

/** Newest first. Spec: Docker Engine API, HistoryResponseItem */
export function historyDocument(image: EngineImage, store: Store): readonly JsonObject[] {
  const sizes = layerSizes(store, image).values()
  const items = image.config.history.map((entry) => {
    const size = entry.empty_layer === true ? 0 : (sizes.next().value ?? 0)
    const time = Date.parse(entry.created ?? '')
    return {
      Id: MISSING,
      Created: Number.isNaN(time) ? 0 : Math.floor(time / 1000),
      CreatedBy: entry.created_by ?? '',
      Tags: null,
      Size: size,
      Comment: entry.comment ?? '',
    }
  })
  const [newest, ...others] = items.reverse()
  if (newest === undefined) return []
  const tags = tagsOf(image)
  return [{ ...newest, Id: image.id, Tags: tags.length === 0 ? null : [...tags] }, ...others]
}
