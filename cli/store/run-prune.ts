import {
  type CollectionRequest,
  Collector,
  keptAmong,
  parseFilters,
  type SpaceLimits,
  sumOfBytes,
} from '#cache'
import { parseByteSize, TsbuildError, usageError } from '#core'
import { type Arguments, expectArguments, formatOf } from '../arguments/flags.ts'
import { openLocalStore } from '../images/local-store.ts'
import { ask } from '../io/prompt.ts'
import { print, type Shell } from '../terminal/shell.ts'
import { formatBytes } from '../terminal/text.ts'
import { itemBlocks, itemRecords, itemTable } from './item-lists.ts'

/** `tsbuild prune` */
export async function runPrune(args: Arguments, shell: Shell): Promise<number> {
  expectArguments(args, { least: 0, most: 0, usage: 'tsbuild prune [flags]' })
  const format = formatOf(args, ['table', 'json'])
  const now = Date.now()
  const request: CollectionRequest = {
    all: args.has('all'),
    matches: parseFilters(args.list('filter'), now),
    limits: parseLimits(args),
  }
  if (!args.has('force')) await confirm(request, args, shell)
  await using store = openLocalStore(args, shell)
  const items = await new Collector(store).remove(request, { signal: shell.signal })
  // They are gone, and so are the items on them.
  const list = { items, keptBy: keptAmong([]), now }
  if (format === 'json') {
    const report = { removed: itemRecords(list), total: sumOfBytes(items) }
    await print(shell, `${JSON.stringify(report, undefined, 2)}\n`)
    return 0
  }
  await print(shell, args.has('verbose') ? itemBlocks(list) : itemTable(list))
  await print(shell, `Total: ${formatBytes(sumOfBytes(items))}\n`)
  return 0
}

/** @throws {TsbuildError} USAGE */
function parseLimits(args: Arguments): SpaceLimits | undefined {
  const reserved = sizeOf(args, 'reserved-space') ?? sizeOf(args, 'keep-storage')
  const maxUsed = sizeOf(args, 'max-used-space')
  const minFree = sizeOf(args, 'min-free-space')
  const isLimited = [reserved, maxUsed, minFree].some((limit) => limit !== undefined && limit > 0)
  return isLimited ? { reserved, maxUsed, minFree } : undefined
}

/** 0 means no limit, as with docker. */
function sizeOf(args: Arguments, flag: string): number | undefined {
  const text = args.text(flag)
  if (text === undefined) return undefined
  const bytes = parseByteSize(text)
  if (bytes === undefined)
    throw usageError(`invalid --${flag} "${text}"`, `write it like --${flag}=20GB`)
  return bytes === 0 ? undefined : bytes
}

async function confirm(request: CollectionRequest, args: Arguments, shell: Shell): Promise<void> {
  if (shell.stdin.isTTY !== true) {
    throw usageError(
      'cannot ask whether to remove: standard input is not a terminal',
      'add --force; tsbuild du shows what there is',
    )
  }
  const answer = await ask(`${warningOf(request, args)} [y/N] `, shell)
  if (/^y(?:es)?$/i.test(answer.trim())) return
  throw new TsbuildError('nothing was removed', { code: 'CANCELLED' })
}

function warningOf({ all, limits }: CollectionRequest, args: Arguments): string {
  const what = all
    ? 'all results of steps, cache mounts and downloads that no build uses'
    : 'results of steps, cache mounts and downloads that no image has and no build uses'
  const filtered = args.list('filter').length > 0 ? ', as far as they pass the filters' : ''
  const limited = limits === undefined ? '' : ', until the sizes are kept'
  return `This will remove ${what}${filtered}${limited}. Are you sure?`
}
