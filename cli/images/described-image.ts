import { elsewhereOf, type Store } from '#cache'
import { type Descriptor, formatPlatform } from '#core'
import type { Arguments } from '../arguments/flags.ts'
import { networkSettings } from '../settings/network-settings.ts'
import type { Shell } from '../terminal/shell.ts'
import type { InspectedImage } from './docker-document.ts'

/** An image, and the store that has it; `undefined`: a registry has it. */
export interface FoundImage {
  readonly image: InspectedImage
  readonly store: Store | undefined
}

/** `tsbuild inspect --remote` @returns an image for each name */
export async function remoteImages(
  names: readonly string[],
  args: Arguments,
  shell: Shell,
): Promise<readonly FoundImage[]> {
  const images: FoundImage[] = []
  for (const name of names) {
    images.push({ image: await remote(name, args, shell), store: undefined })
  }
  return images
}

async function remote(text: string, args: Arguments, shell: Shell): Promise<InspectedImage> {
  const { describeImage: askRegistry } = await import('./remote-image.ts')
  const { name, index, manifestDescriptor, manifest, config } = await askRegistry({
    name: text,
    platform: args.text('platform'),
    ...(await networkSettings(args, shell)),
    signal: shell.signal,
  })
  const target = index ?? manifestDescriptor
  return { names: [name], target, descriptor: manifestDescriptor, manifest, config }
}

/** An image as JSON. */
export function describeImage({ image, store }: FoundImage): object {
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
