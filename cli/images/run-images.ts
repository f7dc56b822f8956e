import { type Arguments, expectArguments, usageError } from '../arguments/flags.ts'
import { chainMessage } from '../reports/error-report.ts'
import { note, print, type Shell } from '../terminal/shell.ts'
import { cleanLine, formatBytes } from '../terminal/text.ts'
import { type LocalImage, readImages, shortDigest, splitName } from './local-images.ts'
import { openLocalStore } from './local-store.ts'

const HEADINGS = ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE']

/** `tsbuild images` */
export async function runImages(args: Arguments, shell: Shell): Promise<number> {
  expectArguments(args, { least: 0, most: 0, usage: 'tsbuild images [flags]' })
  const format = args.text('format') ?? 'table'
  if (format !== 'table' && format !== 'json') {
    throw usageError(`unknown format "${format}"`, 'choose one of table, json')
  }
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
      const created = formatAge(image.config.created, now)
      return [repository, tag, id, created, formatBytes(sizeOf(image))].map(cleanLine)
    }),
  )
  rows.sort((a, b) => `${a[0]}:${a[1]}`.localeCompare(`${b[0]}:${b[1]}`, 'en'))
  const table = [HEADINGS, ...rows]
  const widths = HEADINGS.map((_, column) => {
    return Math.max(...table.map((row) => row[column]?.length ?? 0))
  })
  return table
    .map((row) => {
      const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0))
      return `${cells.join('   ').trimEnd()}\n`
    })
    .join('')
}

const AGES: readonly (readonly [string, number])[] = [
  ['year', 365 * 24 * 3600],
  ['month', 30 * 24 * 3600],
  ['week', 7 * 24 * 3600],
  ['day', 24 * 3600],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]

/** `3 hours ago`; `created` as RFC 3339. */
function formatAge(created: string | undefined, now: number): string {
  const then = created === undefined ? Number.NaN : Date.parse(created)
  if (Number.isNaN(then)) return 'N/A'
  const seconds = Math.max(0, (now - then) / 1000)
  for (const [unit, length] of AGES) {
    const count = Math.floor(seconds / length)
    if (count >= 1) return `${count} ${unit}${count === 1 ? '' : 's'} ago`
  }
  return 'just now'
}
