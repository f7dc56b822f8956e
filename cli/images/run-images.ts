import { type LocalImage, readImages, splitName } from '#builder'
import { chainMessage } from '#buildkit/reports'
import { shortDigest } from '#core'
import { type Arguments, expectArguments, formatOf } from '../arguments/flags.ts'
import { formatAge } from '../terminal/age.ts'
import { note, print, type Shell } from '../terminal/shell.ts'
import { alignedTable } from '../terminal/table.ts'
import { cleanLine, formatBytes } from '../terminal/text.ts'
import { openLocalStore } from './local-store.ts'

const HEADINGS = ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE']

/** `tsbuild images` */
export async function runImages(args: Arguments, shell: Shell): Promise<number> {
  expectArguments(args, { least: 0, most: 0, usage: 'tsbuild images [flags]' })
  const format = formatOf(args, ['table', 'json'])
  await using store = openLocalStore(args, shell)
  const images = await readImages(store, (names, error) => {
    note(shell, cleanLine(`WARNING: cannot read ${names.join(', ')}: ${chainMessage(error)}`))
  })
  if (args.has('quiet')) {
    const ids = new Set(images.map(({ manifest }) => manifest.config.digest))
    await print(shell, [...ids].map((id) => `${id}\n`).join(''))
  } else if (format === 'json') {
    await print(shell, `${JSON.stringify(images.flatMap(imageRecords), undefined, 2)}\n`)
  } else {
    await print(shell, imageTable(images, Date.now()))
  }
  return 0
}

/** Bytes of an image's blobs as they are in the store. */
function sizeOf({ manifest }: LocalImage): number {
  return manifest.layers.reduce((sum, { size }) => sum + size, manifest.config.size)
}

function imageRecords(image: LocalImage): readonly object[] {
  const { names, target, manifest, config } = image
  return names.map((name) => ({
    name,
    ...splitName(name),
    id: manifest.config.digest,
    digest: target.digest,
    created: config.created,
    size: sizeOf(image),
  }))
}

/**
 * A line for each name, columns aligned. `now` in milliseconds since the epoch.
 * @internal
 */
export function imageTable(images: readonly LocalImage[], now: number): string {
  const rows = images.flatMap((image) =>
    image.names.map((name) => {
      const { repository, tag } = splitName(name)
      const id = shortDigest(image.manifest.config.digest)
      const created = createdAge(image.config.created, now)
      return [repository, tag, id, created, formatBytes(sizeOf(image))].map(cleanLine)
    }),
  )
  rows.sort((a, b) => `${a[0]}:${a[1]}`.localeCompare(`${b[0]}:${b[1]}`, 'en'))
  return alignedTable([HEADINGS, ...rows])
}

/** `created` as RFC 3339. */
function createdAge(created: string | undefined, now: number): string {
  const then = created === undefined ? Number.NaN : Date.parse(created)
  return Number.isNaN(then) ? 'N/A' : formatAge(then, now)
}
