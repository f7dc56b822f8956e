import { formatPlatform } from '#core'
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
  for (const text of wanted) documents.push(describe(await findImage(store, text)))
  await print(shell, `${JSON.stringify(documents, undefined, 2)}\n`)
  return 0
}

function describe({ names, target, descriptor, manifest, config }: LocalImage): object {
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
    layers: manifest.layers.map(({ digest, mediaType, size }, index) => ({
      digest,
      diffId: config.diffIds[index],
      mediaType,
      size,
    })),
    history: config.history,
  }
}
