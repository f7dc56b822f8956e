import { elsewhereOf, type Store } from '#cache'
import { type Descriptor, formatPlatform } from '#core'
import { type Arguments, expectArguments } from '../arguments/flags.ts'
import { print, type Shell } from '../terminal/shell.ts'
import { findImage, type LocalImage } from './local-images.ts'
import { openLocalStore } from './local-store.ts'

/** `tsbuild inspect` */
export async function runInspect(args: Arguments, shell: Shell): Promise<number> {
  const usage = 'tsbuild inspect [flags] IMAGE…'
  const wanted = expectArguments(args, { least: 1, most: 1000, usage })
  await using store = openLocalStore(args, shell)
  const documents: object[] = []
  for (const text of wanted) documents.push(describe(await findImage(store, text), store))
  await print(shell, `${JSON.stringify(documents, undefined, 2)}\n`)
  return 0
}

function describe(image: LocalImage, store: Store): object {
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
      ...placeOf(layer, store),
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
