import { Collector, keptAmong, parseFilters, type StoreItem, sumOfBytes } from '#cache'
import { usageError } from '#core'
import { type Arguments, expectArguments, formatOf } from '../arguments/flags.ts'
import { openLocalStore } from '../images/local-store.ts'
import { print, type Shell } from '../terminal/shell.ts'
import { formatBytes } from '../terminal/text.ts'
import { type ItemList, itemBlocks, itemRecords, itemTable } from './item-lists.ts'
import { groupsByImage, groupsByStep, groupTable } from './usage-groups.ts'

const GROUPS = { step: groupsByStep, image: groupsByImage } as const

/** `tsbuild du` */
export async function runUsage(args: Arguments, shell: Shell): Promise<number> {
  expectArguments(args, { least: 0, most: 0, usage: 'tsbuild du [flags]' })
  const format = formatOf(args, ['table', 'json'])
  const by = groupingOf(args)
  const now = Date.now()
  const matches = parseFilters(args.list('filter'), now)
  await using store = openLocalStore(args, shell)
  const all = await new Collector(store).items({ signal: shell.signal })
  const items = all.filter(matches).toSorted((a, b) => b.bytes - a.bytes)
  const groups = by === undefined ? undefined : GROUPS[by](items)
  const list = { items, keptBy: keptAmong(all), now }
  if (format === 'json') {
    const body =
      groups === undefined ? { items: itemRecords(list) } : { [`${by}s`]: groups.map(dated) }
    await print(shell, `${JSON.stringify({ ...body, ...totalsOf(list) }, undefined, 2)}\n`)
    return 0
  }
  if (by !== undefined && groups !== undefined) {
    await print(shell, groupTable(by.toUpperCase(), groups, now))
  } else await print(shell, args.has('verbose') ? itemBlocks(list) : itemTable(list))
  await print(shell, totalsText(totalsOf(list)))
  return 0
}

function groupingOf(args: Arguments): keyof typeof GROUPS | undefined {
  const by = args.text('by') ?? 'item'
  if (by === 'item') return undefined
  if (by === 'step' || by === 'image') return by
  throw usageError(`cannot add up by "${by}"`, 'choose one of item, step, image')
}

function dated({ lastUsedAt, ...group }: ReturnType<typeof groupsByStep>[number]): object {
  return { ...group, lastUsedAt: new Date(lastUsedAt).toISOString() }
}

interface Totals {
  readonly shared: number
  readonly private: number
  readonly reclaimable: number
  readonly total: number
}

function totalsOf({ items, keptBy }: ItemList): Totals {
  const isShared = ({ images }: StoreItem): boolean => images.length > 0
  return {
    shared: sumOfBytes(items.filter(isShared)),
    private: sumOfBytes(items.filter((item) => !isShared(item))),
    reclaimable: sumOfBytes(items.filter((item) => keptBy(item) === undefined)),
    total: sumOfBytes(items),
  }
}

function totalsText(totals: Totals): string {
  const line = (name: string, bytes: number): string =>
    `${`${name}:`.padEnd(14)}${formatBytes(bytes)}\n`
  return [
    line('Shared', totals.shared),
    line('Private', totals.private),
    line('Reclaimable', totals.reclaimable),
    line('Total', totals.total),
  ].join('')
}
