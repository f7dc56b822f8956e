import {
  type Descriptor,
  type HistoryEntry,
  type ImageConfig,
  type Manifest,
  shortDigest,
  usageError,
} from '#core'
import { type Arguments, expectArguments, formatOf } from '../arguments/flags.ts'
import { networkSettings } from '../settings/network-settings.ts'
import { formatAge } from '../terminal/age.ts'
import { print, type Shell } from '../terminal/shell.ts'
import { alignedTable } from '../terminal/table.ts'
import { cleanLine, formatBytes } from '../terminal/text.ts'
import { findImage } from './local-images.ts'
import { openLocalStore } from './local-store.ts'

const HEADINGS = ['IMAGE', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT']
/** Characters of an instruction that docker shows. */
const SHOWN = 45
/** Of all steps but the last, no image is kept. */
const MISSING = '<missing>'

type Image = { readonly manifest: Manifest; readonly config: ImageConfig }

/** `tsbuild history` */
export async function runHistory(args: Arguments, shell: Shell): Promise<number> {
  const usage = 'tsbuild history [flags] IMAGE'
  const [text = ''] = expectArguments(args, { least: 1, most: 1, usage })
  const format = formatOf(args, ['table', 'json'])
  const steps = stepsOf(await readImage(text, args, shell))
  const options = {
    now: Date.now(),
    isWhole: args.has('no-trunc'),
    isForPeople: args.text('human') === undefined || args.has('human'),
  }
  if (args.has('quiet'))
    await print(shell, steps.map((step) => `${idOf(step, options)}\n`).join(''))
  else if (format === 'json') {
    await print(shell, steps.map((step) => `${JSON.stringify(record(step, options))}\n`).join(''))
  } else await print(shell, historyTable(steps, options))
  return 0
}

async function readImage(text: string, args: Arguments, shell: Shell): Promise<Image> {
  const platform = args.text('platform')
  if (args.has('remote')) {
    const { describeImage } = await import('./remote-image.ts')
    const network = await networkSettings(args, shell)
    return await describeImage({ ...network, name: text, platform, signal: shell.signal })
  }
  if (platform !== undefined) {
    throw usageError('--platform chooses among images of a registry', 'add --remote')
  }
  await using store = openLocalStore(args, shell)
  return await findImage(store, text)
}

/** A line of the history. */
interface Step {
  /** The image's, of the newest step. */
  readonly id: Descriptor['digest'] | undefined
  readonly entry: HistoryEntry
  /** Bytes. */
  readonly size: number
}

/** Newest first. Layers belong to the entries that are not empty, in order. */
function stepsOf({ manifest, config }: Image): readonly Step[] {
  const layers = manifest.layers.values()
  const steps = config.history.map((entry) => {
    const layer = entry.empty_layer === true ? undefined : layers.next().value
    return { id: undefined, entry, size: layer?.size ?? 0 }
  })
  const [newest, ...others] = steps.reverse()
  return newest === undefined ? [] : [{ ...newest, id: manifest.config.digest }, ...others]
}

/** How steps are shown. */
interface HistoryOptions {
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly isWhole: boolean
  readonly isForPeople: boolean
}

function historyTable(steps: readonly Step[], options: HistoryOptions): string {
  const rows = steps.map((step) => {
    const { CreatedSince, CreatedAt, CreatedBy, Size, Comment } = record(step, options)
    const created = options.isForPeople ? CreatedSince : CreatedAt
    return [idOf(step, options), created, CreatedBy, Size, Comment].map(cleanLine)
  })
  return alignedTable([HEADINGS, ...rows])
}

/** With the names that docker's formats have. */
function record(step: Step, options: HistoryOptions) {
  const { entry, size } = step
  const then = Date.parse(entry.created ?? '')
  const by = (entry.created_by ?? '').replaceAll('\t', ' ')
  const isLong = !options.isWhole && by.length > SHOWN
  return {
    Comment: entry.comment ?? '',
    CreatedAt: entry.created ?? '',
    CreatedBy: isLong ? `${by.slice(0, SHOWN - 1)}…` : by,
    CreatedSince: Number.isNaN(then) ? 'N/A' : formatAge(then, options.now),
    ID: idOf(step, options),
    Size: options.isForPeople ? formatBytes(size) : String(size),
  }
}

function idOf({ id }: Step, { isWhole }: HistoryOptions): string {
  if (id === undefined) return MISSING
  return isWhole ? id : shortDigest(id)
}
