/** What differs between an image and the one that was built again of the same input: for people. */
import { isDeepStrictEqual } from 'node:util'
import { decompress, listTar, type TarFile } from '#builder/layer'
import {
  type BlobSource,
  compressionOf,
  type Descriptor,
  type ImageConfig,
  isJsonObject,
  type Json,
  type Manifest,
  type Name,
  type TransferOptions,
} from '#core'

/** An image, and where its layers are. */
export interface ComparedImage {
  readonly source: BlobSource
  readonly manifest: Manifest
  readonly config: ImageConfig
  readonly configBytes: Uint8Array
}

/** Of each layer. */
const MOST_PATHS = 10

/** Sentences; empty for images that are the same but for their manifests' bytes. */
export async function differencesOf(
  image: ComparedImage,
  rebuilt: ComparedImage,
  options: TransferOptions = {},
): Promise<readonly string[]> {
  const [one, other] = [image, rebuilt].map(({ manifest }) => manifest.layers)
  const [count, otherCount] = [one?.length ?? 0, other?.length ?? 0]
  const layers =
    count === otherCount
      ? await layerDifferences(image, rebuilt, options)
      : [`it has ${count} layers, the rebuilt one ${otherCount}`]
  const found = [...layers, ...configDifferences(image, rebuilt)]
  if (isDeepStrictEqual(image.manifest.annotations, rebuilt.manifest.annotations)) return found
  return [...found, 'the annotations of the manifest differ']
}

async function layerDifferences(
  image: ComparedImage,
  rebuilt: ComparedImage,
  options: TransferOptions,
): Promise<readonly string[]> {
  const found: string[] = []
  const steps = image.config.history.filter((entry) => entry.empty_layer !== true)
  for (const [index, layer] of image.manifest.layers.entries()) {
    const other = rebuilt.manifest.layers[index]
    if (other === undefined || other.digest === layer.digest) continue
    const step =
      steps.length === image.manifest.layers.length ? steps[index]?.created_by : undefined
    const name = `layer ${index + 1}${step === undefined ? '' : ` (${step})`}`
    if (image.config.diffIds[index] === rebuilt.config.diffIds[index]) {
      found.push(`${name} has the same files, packed in another way`)
    } else {
      const files = await filesIn(image.source, layer, options)
      const otherFiles = await filesIn(rebuilt.source, other, options)
      found.push(`${name} differs: ${fileDifferences(files, otherFiles)}`)
    }
  }
  return found
}

type Files = ReadonlyMap<Name, TarFile>

async function filesIn(
  source: BlobSource,
  layer: Descriptor,
  options: TransferOptions,
): Promise<Files> {
  const compression = compressionOf(layer.mediaType) ?? 'detect'
  const bytes = await source.open(layer, options)
  return await listTar(decompress(bytes, compression, { name: layer.digest }))
}

function fileDifferences(files: Files, others: Files): string {
  const paths = [...new Set([...files.keys(), ...others.keys()])]
  const different = paths.flatMap((path) => {
    const [file, other] = [files.get(path), others.get(path)]
    if (file === undefined) return [`/${path} is in the rebuilt one only`]
    if (other === undefined) return [`/${path} is not in the rebuilt one`]
    const facts = FACTS.filter((fact) => !isDeepStrictEqual(file[fact], other[fact]))
    return facts.length === 0 ? [] : [`/${path} (${facts.map((fact) => WORDS[fact]).join(', ')})`]
  })
  if (different.length === 0) return 'times, links, deletions or the order of files'
  const shown = different.slice(0, MOST_PATHS).join('; ')
  const left = different.length - MOST_PATHS
  return left > 0 ? `${shown}; and ${left} more` : shown
}

const WORDS: Readonly<Record<keyof TarFile, string>> = {
  type: 'type',
  mode: 'mode',
  uid: 'owner',
  gid: 'group',
  size: 'size',
  major: 'device',
  minor: 'device',
  target: 'target of the link',
  capability: 'capability',
  digest: 'content',
}
const FACTS = Object.keys(WORDS) as (keyof TarFile)[]

/** By the fields of the documents, since what is not understood here counts as well. */
function configDifferences(image: ComparedImage, rebuilt: ComparedImage): readonly string[] {
  const [one = null, other = null] = [image, rebuilt].map(
    ({ configBytes }) => JSON.parse(Buffer.from(configBytes).toString()) as Json,
  )
  const found = fieldDifferences(one, other, 'config')
  const times = found.filter(({ path }) => path.endsWith('.created'))
  const others = found.filter(
    // The digests follow from the layers, which are named.
    ({ path }) => !path.endsWith('.created') && !path.startsWith('config.rootfs'),
  )
  const [time] = times
  return [
    ...(time === undefined ? [] : [`${described(time)}: ${NOT_REPRODUCIBLE}`]),
    ...others.map(described),
  ]
}

const NOT_REPRODUCIBLE = 'it was built without --reproducible, or with another SOURCE_DATE_EPOCH'

interface FieldDifference {
  readonly path: string
  readonly one: Json
  readonly other: Json
}

function described({ path, one, other }: FieldDifference): string {
  return `${path} is ${shortened(one)}, in the rebuilt one ${shortened(other)}`
}

/** Of lists of one length, each item is compared with that at its place. */
function fieldDifferences(one: Json, other: Json, path: string): readonly FieldDifference[] {
  if (isDeepStrictEqual(one, other)) return []
  const isList = Array.isArray(one) && Array.isArray(other) && one.length === other.length
  if (!isList && (!isJsonObject(one) || !isJsonObject(other))) return [{ path, one, other }]
  const [fields, others] = [Object.entries(one ?? {}), Object.entries(other ?? {})]
  const keys = new Set([...fields, ...others].map(([key]) => key))
  const [values, otherValues] = [new Map<string, Json>(fields), new Map<string, Json>(others)]
  return [...keys].flatMap((key) =>
    fieldDifferences(values.get(key) ?? null, otherValues.get(key) ?? null, `${path}.${key}`),
  )
}

const LONGEST = 200

function shortened(value: Json): string {
  const text = JSON.stringify(value)
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}
