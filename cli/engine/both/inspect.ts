/**
 * `tsbuild inspect` is about what a daemon has and about the images of the local store. A container of a daemon that is
 * named or runs comes first, as with docker; then the images of the store, for which no daemon is needed.
 */
import { type Json, TsbuildError, usageError } from '#core'
import { type Arguments, expectArguments } from '../../arguments/flags.ts'
import { describeImage, type FoundImage, remoteImages } from '../../images/described-image.ts'
import { dockerDocument } from '../../images/docker-document.ts'
import { findImage } from '../../images/local-images.ts'
import { openLocalStore } from '../../images/local-store.ts'
import { note, print, type Shell } from '../../terminal/shell.ts'
import { cleanText } from '../../terminal/text.ts'
import { type ObjectFinder, openObjectFinder } from './find-object.ts'

/** A thing of a daemon, or an image of the store or of a registry. */
type Found = { readonly document: Json } | FoundImage

const TYPES = ['container', 'image', 'network', 'volume'] as const

/** `tsbuild inspect` */
export async function runInspect(args: Arguments, shell: Shell): Promise<number> {
  const usage = 'tsbuild inspect [flags] NAME…'
  const names = expectArguments(args, { least: 1, most: 1000, usage })
  checkFlags(args)
  const show = await printerOf(args)
  if (args.has('remote')) {
    await print(shell, show(await remoteImages(names, args, shell)))
    return 0
  }
  await using store = openLocalStore(args, shell)
  using finder = await openObjectFinder(args, shell)
  const found: Found[] = []
  const failures: TsbuildError[] = []
  for (const name of names) {
    try {
      found.push(await find(name, { args, finder, store }))
    } catch (cause) {
      // Of images alone, one name has the whole story; else those that are there are shown.
      const isMissing = cause instanceof TsbuildError && cause.code === 'NOT_FOUND'
      if (!isMissing || (names.length === 1 && !finder.hasDaemon())) throw cause
      failures.push(cause)
    }
  }
  await print(shell, show(found))
  for (const { message } of failures) note(shell, `error: ${cleanText(message)}`)
  return failures.length === 0 ? 0 : 1
}

function checkFlags(args: Arguments): void {
  const type = args.text('type')
  if (type !== undefined && !TYPES.some((one) => one === type)) {
    throw usageError(
      `"${type}" is not a valid value for --type`,
      `choose one of ${TYPES.join(', ')}`,
    )
  }
  if (!args.has('remote') && args.text('platform') !== undefined) {
    throw usageError('--platform chooses among images of a registry', 'add --remote')
  }
}

interface Places {
  readonly args: Arguments
  readonly finder: ObjectFinder
  readonly store: ReturnType<typeof openLocalStore>
}

async function find(name: string, { args, finder, store }: Places): Promise<Found> {
  const type = args.text('type')
  const container = await finder.container(name)
  if (container !== undefined) return { document: container }
  let missing: unknown
  if (type === undefined || type === 'image') {
    try {
      return { image: await findImage(store, name), store }
    } catch (cause) {
      if (!(cause instanceof TsbuildError)) throw cause
      missing = cause
    }
  }
  try {
    return { document: await finder.other(name) }
  } catch (cause) {
    // Where there is no daemon, what is said of images says more.
    const isMissing = cause instanceof TsbuildError && cause.code === 'NOT_FOUND'
    throw isMissing && missing !== undefined && !finder.hasDaemon() ? missing : cause
  }
}

/** Makes text of what was found: JSON, or what a template says. */
async function printerOf(args: Arguments): Promise<(found: readonly Found[]) => string> {
  const format = args.text('format') ?? 'json'
  if (format === 'json') {
    return (found) => {
      const values = found.map((one) => ('document' in one ? one.document : describeImage(one)))
      return `${JSON.stringify(values, undefined, found.every((one) => 'image' in one) ? 2 : 4)}\n`
    }
  }
  const { parseTemplate } = await import('../template/go-template.ts')
  const { withOptional } = await import('../inspect/show.ts')
  const template = parseTemplate(format)
  return (found) =>
    found
      .map((one) =>
        template('document' in one ? withOptional(one.document) : dockerDocument(one.image)),
      )
      .map((line) => `${line}\n`)
      .join('')
}
