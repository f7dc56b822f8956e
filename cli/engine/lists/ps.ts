import type { Json } from '#core'
import { ENGINE_FLAGS } from '../../arguments/common-flags.ts'
import { type Arguments, expectArguments } from '../../arguments/flags.ts'
import { filtersOf } from '../connect/filters.ts'
import { withEngine } from '../connect/with-engine.ts'
import { integerOf } from '../create/values.ts'
import { type EngineCommand, flagsOf } from '../definition/command.ts'
import { ellipsis, goTime, humanAge, humanSize, truncateId } from '../format/human.ts'
import { type Fields, objectOf, objectsOf } from '../format/json.ts'
import { type Column, type ListKind, printList } from '../format/list.ts'
import { FILTERS, FORMAT, QUIET_IDS } from './flags.ts'
import { LABEL_COLUMNS } from './label-columns.ts'
import { portsText } from './ports.ts'

/** `tsbuild ps` */
export const PS: EngineCommand = {
  name: 'ps',
  summary: 'List containers',
  usage: 'tsbuild ps [flags]',
  flags: [
    ...flagsOf('Which ones', {
      'a, all': 'Those that do not run, too',
      'l, latest': 'The one that was created last',
      'n, last N': 'Those that were created last',
    }),
    ...FILTERS,
    ...QUIET_IDS,
    ...flagsOf('Screen', { 's, size': 'What they have written' }),
    ...FORMAT,
    ...ENGINE_FLAGS,
  ],
  examples: [
    ['tsbuild ps -a --filter status=exited', 'containers that have ended'],
    ["tsbuild ps --format '{{.Names}}: {{.Ports}}'", 'a line for each'],
  ],
  run: async (args, shell) => {
    expectArguments(args, { least: 0, most: 0, usage: 'tsbuild ps [flags]' })
    return await withEngine(args, shell, async ({ client }) => {
      const last = args.has('latest') ? 1 : integerOf(args, 'last')
      const size = args.has('size') || /\.Size\b/.test(args.text('format') ?? '')
      const query = {
        all: args.has('all') || undefined,
        limit: last !== undefined && last > 0 ? last : undefined,
        size: size || undefined,
        filters: filtersOf(args),
      }
      const answer = await client.json({ path: '/containers/json', query })
      const items = objectsOf(answer)
      await printList(items, kindOf(args), { args, shell })
      return 0
    })
  },
}

/** How long containers' commands and mounts are in a table. */
const COMMAND = 20
const MOUNT = 15

function kindOf(args: Arguments): ListKind<Fields> {
  const isWhole = args.has('no-trunc')
  const table = ['ID', 'Image', 'Command', 'RunningFor', 'Status', 'Ports', 'Names']
  return {
    columns: columnsOf(isWhole),
    table: args.has('size') ? [...table, 'Size'] : table,
    quiet: '{{.ID}}',
  }
}

function columnsOf(isWhole: boolean): Readonly<Record<string, Column<Fields>>> {
  const text =
    (name: string) =>
    (item: Fields): string =>
      String(item[name] ?? '')
  const id = (item: Fields): string => (isWhole ? text('Id')(item) : truncateId(text('Id')(item)))
  const command = (item: Fields): string => {
    const whole = text('Command')(item)
    return JSON.stringify(isWhole ? whole : ellipsis(whole, COMMAND))
  }
  return {
    ID: ['CONTAINER ID', id],
    Names: ['NAMES', (item) => namesOf(item, isWhole)],
    Image: ['IMAGE', (item) => imageOf(item, isWhole)],
    Command: ['COMMAND', command],
    CreatedAt: ['CREATED AT', (item) => goTime(Number(item.Created) * 1000)],
    RunningFor: ['CREATED', (item) => humanAge(Number(item.Created) * 1000)],
    Ports: ['PORTS', ({ Ports }) => portsText(Ports)],
    State: ['STATE', text('State')],
    Status: ['STATUS', text('Status')],
    Size: ['SIZE', sizeText],
    ...LABEL_COLUMNS,
    Mounts: ['MOUNTS', ({ Mounts }) => mountsText(Mounts, isWhole)],
    LocalVolumes: ['LOCAL VOLUMES', ({ Mounts }) => String(localVolumes(Mounts))],
    Networks: ['NETWORKS', networksText],
    HealthStatus: ['HEALTH STATUS', ({ Health }) => String(objectOf(Health).Status ?? '')],
    Platform: ['PLATFORM', ({ ImageManifestDescriptor }) => platformOf(ImageManifestDescriptor)],
  }
}

/** Names as links to others are not the container's own. */
function namesOf({ Names }: Fields, isWhole: boolean): string {
  const names = (Array.isArray(Names) ? Names : []).map((name) => String(name).replace(/^\//, ''))
  return (isWhole ? names : names.filter((name) => !name.includes('/'))).join(',')
}

function imageOf({ Image, ImageID }: Fields, isWhole: boolean): string {
  const image = String(Image ?? '')
  if (image === '') return '<no image>'
  if (isWhole) return image
  const id = truncateId(String(ImageID ?? ''))
  if (id === truncateId(image)) return id
  return image.replace(/(.:[\w.-]+)@sha256:[\da-f]+$/, '$1').replace(/@sha256:[\da-f]+$/, '')
}

function sizeText({ SizeRw, SizeRootFs }: Fields): string {
  const written = humanSize(Number(SizeRw ?? 0))
  const all = Number(SizeRootFs ?? 0)
  return all > 0 ? `${written} (virtual ${humanSize(all)})` : written
}

function mountsOf(mounts: Json | undefined): readonly Fields[] {
  return objectsOf(mounts)
}

function mountsText(mounts: Json | undefined, isWhole: boolean): string {
  const names = mountsOf(mounts).map(({ Name, Source }) => String(Name || Source || ''))
  return names.map((name) => (isWhole ? name : ellipsis(name, MOUNT))).join(',')
}

function localVolumes(mounts: Json | undefined): number {
  return mountsOf(mounts).filter(({ Driver }) => Driver === 'local').length
}

function networksText({ NetworkSettings }: Fields): string {
  return Object.keys(objectOf(objectOf(NetworkSettings).Networks)).join(',')
}

function platformOf(descriptor: Json | undefined): Json {
  return objectOf(descriptor).platform ?? null
}
