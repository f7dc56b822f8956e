import type { Json } from '#core'
import { ENGINE_FLAGS } from '../../arguments/common-flags.ts'
import { expectArguments } from '../../arguments/flags.ts'
import { print } from '../../terminal/shell.ts'
import { withEngine } from '../connect/with-engine.ts'
import { type EngineCommand, flagsOf } from '../definition/command.ts'
import { ellipsis, humanAge, humanSize, truncateId } from '../format/human.ts'
import { type Fields, objectOf, objectsOf } from '../format/json.ts'
import { type ListKind, printList } from '../format/list.ts'
import { alignTabs } from '../format/tab-writer.ts'
import { FORMAT } from '../lists/flags.ts'

/** What things of one kind take. */
interface Share {
  readonly type: string
  readonly total: number
  readonly active: number
  readonly size: number
  readonly reclaimable: number
  readonly items: readonly Fields[]
}

/** `tsbuild system df` */
export const DF: EngineCommand = {
  name: 'df',
  summary: 'Show what images, containers, volumes and cached steps take on the disk',
  usage: 'tsbuild system df [flags]',
  flags: [...flagsOf('Screen', { 'v, verbose': 'Show each of them' }), ...FORMAT, ...ENGINE_FLAGS],
  examples: [],
  run: async (args, shell) => {
    expectArguments(args, { least: 0, most: 0, usage: 'tsbuild system df [flags]' })
    return await withEngine(args, shell, async ({ client }) => {
      const query = { verbose: args.has('verbose') || undefined }
      const shares = sharesOf(objectOf(await client.json({ path: '/system/df', query })))
      if (args.has('verbose') && args.text('format') === undefined) {
        await print(shell, verboseText(shares))
      } else await printList(shares, SHARES, { args, shell })
      return 0
    })
  },
}

const SHARES: ListKind<Share> = {
  columns: {
    Type: ['TYPE', ({ type }) => type],
    TotalCount: ['TOTAL', ({ total }) => String(total)],
    Active: ['ACTIVE', ({ active }) => String(active)],
    Size: ['SIZE', ({ size }) => humanSize(size, 4)],
    Reclaimable: ['RECLAIMABLE', reclaimableText],
  },
  table: ['Type', 'TotalCount', 'Active', 'Size', 'Reclaimable'],
  quiet: '{{.Type}}',
}

function reclaimableText({ type, size, reclaimable }: Share): string {
  const text = humanSize(reclaimable, 4)
  if (size === 0 || type === 'Build Cache') return text
  return `${text} (${Math.floor((reclaimable / size) * 100)}%)`
}

/** Since version 1.52 the daemon has counted already. */
function sharesOf(answer: Fields): readonly Share[] {
  return [
    shareOf('Images', answer.ImageUsage) ?? imagesOf(answer),
    shareOf('Containers', answer.ContainerUsage) ?? containersOf(answer),
    shareOf('Local Volumes', answer.VolumeUsage) ?? volumesOf(answer),
    shareOf('Build Cache', answer.BuildCacheUsage) ?? buildCacheOf(answer),
  ]
}

function shareOf(type: string, usage: Json | undefined): Share | undefined {
  if (usage === undefined) return undefined
  const { TotalCount, ActiveCount, TotalSize, Reclaimable, Items } = objectOf(usage)
  const [total, active, size, reclaimable] = [TotalCount, ActiveCount, TotalSize, Reclaimable].map(
    (value) => Number(value ?? 0),
  )
  const items = itemsOf(Items)
  return {
    type,
    total: total ?? 0,
    active: active ?? 0,
    size: size ?? 0,
    reclaimable: reclaimable ?? 0,
    items,
  }
}

function itemsOf(list: Json | undefined): readonly Fields[] {
  return objectsOf(list)
}

function sum(items: readonly Fields[], size: (item: Fields) => Json | undefined): number {
  return items.reduce((total, item) => total + Math.max(0, Number(size(item) ?? 0)), 0)
}

function imagesOf({ Images, LayersSize }: Fields): Share {
  const items = itemsOf(Images)
  const used = items.filter(({ Containers }) => Number(Containers) > 0)
  const own = sum(used, ({ Size, SharedSize }) => Number(Size) - Math.max(0, Number(SharedSize)))
  const size = Number(LayersSize ?? 0)
  return {
    type: 'Images',
    total: items.length,
    active: used.length,
    size,
    reclaimable: Math.max(0, size - own),
    items,
  }
}

function containersOf({ Containers }: Fields): Share {
  const items = itemsOf(Containers)
  const isActive = ({ State }: Fields): boolean =>
    /^(?:running|paused|restarting)$/.test(String(State))
  const active = items.filter(isActive).length
  const idle = items.filter((item) => !isActive(item))
  return {
    type: 'Containers',
    total: items.length,
    active,
    size: sum(items, ({ SizeRw }) => SizeRw),
    reclaimable: sum(idle, ({ SizeRw }) => SizeRw),
    items,
  }
}

function volumesOf({ Volumes }: Fields): Share {
  const items = itemsOf(Volumes)
  const usage = (item: Fields): Fields => objectOf(item.UsageData)
  const unused = items.filter((item) => Number(usage(item).RefCount ?? 0) === 0)
  return {
    type: 'Local Volumes',
    total: items.length,
    active: items.length - unused.length,
    size: sum(items, (item) => usage(item).Size),
    reclaimable: sum(unused, (item) => usage(item).Size),
    items,
  }
}

function buildCacheOf({ BuildCache }: Fields): Share {
  const items = itemsOf(BuildCache)
  const own = items.filter(({ Shared }) => Shared !== true)
  return {
    type: 'Build Cache',
    total: items.length,
    active: items.filter(({ InUse }) => InUse === true).length,
    size: sum(own, ({ Size }) => Size),
    reclaimable: sum(
      own.filter(({ InUse }) => InUse !== true),
      ({ Size }) => Size,
    ),
    items,
  }
}

function verboseText(shares: readonly Share[]): string {
  const tables = shares.map(({ type, items, size }) => {
    const { title, headings, row } = TABLES[type] ?? UNKNOWN
    const lines = [headings, ...items.map((item) => row(item).join('\t'))]
    return `${title.replace('SIZE', humanSize(size, 4))}\n\n${alignTabs(lines)}`
  })
  return tables.join('\n')
}

interface Table {
  readonly title: string
  readonly headings: string
  readonly row: (item: Fields) => readonly string[]
}

const UNKNOWN: Table = { title: '', headings: '', row: () => [] }

const TABLES: Readonly<Record<string, Table>> = {
  Images: {
    title: 'Images space usage:',
    headings: 'REPOSITORY\tTAG\tIMAGE ID\tCREATED\tSIZE\tSHARED SIZE\tUNIQUE SIZE\tCONTAINERS',
    row: (item) => {
      const [repository = '<none>', tag = '<none>'] = String(
        (Array.isArray(item.RepoTags) ? item.RepoTags[0] : undefined) ?? '<none>:<none>',
      ).split(/:(?=[^:]*$)/)
      const shared = Math.max(0, Number(item.SharedSize ?? 0))
      const size = Number(item.Size ?? 0)
      const sizes = [humanSize(size), humanSize(shared), humanSize(size - shared, 4)]
      return [
        repository,
        tag,
        truncateId(String(item.Id)),
        humanAge(Number(item.Created) * 1000),
        ...sizes,
        String(item.Containers ?? 0),
      ]
    },
  },
  Containers: {
    title: 'Containers space usage:',
    headings: 'CONTAINER ID\tIMAGE\tCOMMAND\tLOCAL VOLUMES\tSIZE\tCREATED\tSTATUS\tNAMES',
    row: (item) => [
      truncateId(String(item.Id)),
      String(item.Image),
      JSON.stringify(ellipsis(String(item.Command), 20)),
      String(itemsOf(item.Mounts).filter(({ Driver }) => Driver === 'local').length),
      humanSize(Number(item.SizeRw ?? 0)),
      humanAge(Number(item.Created) * 1000),
      String(item.Status),
      (Array.isArray(item.Names) ? item.Names : [])
        .map((name) => String(name).replace(/^\//, ''))
        .join(','),
    ],
  },
  'Local Volumes': {
    title: 'Local Volumes space usage:',
    headings: 'VOLUME NAME\tLINKS\tSIZE',
    row: (item) => {
      const { RefCount, Size } = objectOf(item.UsageData)
      return [String(item.Name), String(RefCount ?? 0), humanSize(Number(Size ?? 0))]
    },
  },
  'Build Cache': {
    title: 'Build cache usage: SIZE',
    headings: 'CACHE ID\tCACHE TYPE\tSIZE\tCREATED\tLAST USED\tUSAGE\tSHARED',
    row: (item) => [
      truncateId(String(item.ID)),
      String(item.Type),
      humanSize(Number(item.Size ?? 0)),
      humanAge(Date.parse(String(item.CreatedAt))),
      item.LastUsedAt === null || item.LastUsedAt === undefined
        ? ''
        : humanAge(Date.parse(String(item.LastUsedAt))),
      String(item.UsageCount ?? 0),
      String(item.Shared === true),
    ],
  },
}
