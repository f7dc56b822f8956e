import { elsewhereOf, type Store } from '#cache'
import { type Descriptor, formatPlatform } from '#core'
import { type Arguments, expectArguments, usageError } from '../arguments/flags.ts'
import { networkSettings } from '../settings/network-settings.ts'
import { print, type Shell } from '../terminal/shell.ts'
import { dockerDocument, type InspectedImage } from './docker-document.ts'
import { findImage } from './local-images.ts'
import { openLocalStore } from './local-store.ts'

/** `tsbuild inspect` */
export async function runInspect(args: Arguments, shell: Shell): Promise<number> {
  const usage = 'tsbuild inspect [flags] IMAGE…'
  const wanted = expectArguments(args, { least: 1, most: 1000, usage })
  const format = args.text('format') ?? 'json'
  const template = format === 'json' ? undefined : await readTemplate(format)
  const isRemote = args.has('remote')
  if (!isRemote && args.text('platform') !== undefined) {
    throw usageError('--platform chooses among images of a registry', 'add --remote')
  }
  const documents: object[] = []
  let lines = ''
  await using store = isRemote ? undefined : openLocalStore(args, shell)
  for (const text of wanted) {
    const image =
      store === undefined ? await remote(text, args, shell) : await findImage(store, text)
    if (template === undefined) documents.push(describe(image, store))
    else lines += `${template(image)}\n`
  }
  await print(
    shell,
    template === undefined ? `${JSON.stringify(documents, undefined, 2)}\n` : lines,
  )
  return 0
}

async function readTemplate(text: string): Promise<(image: InspectedImage) => string> {
  const { parseTemplate } = await import('../template/go-template.ts')
  const template = parseTemplate(text)
  return (image) => template(dockerDocument(image))
}

async function remote(text: string, args: Arguments, shell: Shell): Promise<InspectedImage> {
  const { describeImage } = await import('./remote-image.ts')
  const { name, index, manifestDescriptor, manifest, config } = await describeImage({
    name: text,
    platform: args.text('platform'),
    ...(await networkSettings(args, shell)),
    signal: shell.signal,
  })
  const target = index ?? manifestDescriptor
  return { names: [name], target, descriptor: manifestDescriptor, manifest, config }
}

/** @param store that has the image; `undefined`: a registry has it */
function describe(image: InspectedImage, store: Store | undefined): object {
  const { names, target, descriptor, manifest, config } = image
  return {
    names,
    id: manifest.config.digest,
    digest: target.digest,
    ...(target.digest === descriptor.digest ? {} : { manifestDigest: descriptor.digest }),
    mediaType: descriptor.mediaType,
    platform: formatPlatform(config.platform),
    created: config.created,
    author: config.author,
    config: config.config,
    layers: manifest.layers.map((layer, index) => ({
      digest: layer.digest,
      diffId: config.diffIds[index],
      mediaType: layer.mediaType,
      size: layer.size,
      ...(store === undefined ? {} : placeOf(layer, store)),
    })),
    history: config.history,
  }
}

/** The repository that has a layer which the store does not have. */
function placeOf(layer: Descriptor, store: Store): { readonly elsewhere?: string } {
  const place = elsewhereOf(layer)
  if (place === undefined || store.blobs.stat(layer.digest) !== undefined) return {}
  return { elsewhere: `${place.registry}/${place.repository}` }
}
