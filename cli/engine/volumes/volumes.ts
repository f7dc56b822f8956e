import { usageError } from '#core'
import { pathOf } from '#engine/client'
import { ENGINE_FLAGS } from '../../arguments/common-flags.ts'
import { expectArguments } from '../../arguments/flags.ts'
import { print } from '../../terminal/shell.ts'
import { filtersOf } from '../connect/filters.ts'
import { forEachName, withEngine } from '../connect/with-engine.ts'
import { pairs } from '../create/values.ts'
import { type EngineCommand, flagsOf } from '../definition/command.ts'
import { humanSize } from '../format/human.ts'
import { type Fields, objectOf, objectsOf } from '../format/json.ts'
import { type ListKind, printList } from '../format/list.ts'
import { inspectCommand } from '../inspect/inspect-of.ts'
import { FILTERS, FORMAT } from '../lists/flags.ts'
import { LABEL_COLUMNS } from '../lists/label-columns.ts'
import { VOLUME_PRUNE } from '../system/prune.ts'

const CREATE: EngineCommand = {
  name: 'create',
  summary: 'Make a volume',
  usage: 'tsbuild volume create [flags] [VOLUME]',
  flags: [
    ...flagsOf('Volume', { 'd, driver DRIVER': 'What makes it (default: local)' }),
    ...flagsOf(
      'Volume',
      { 'label NAME[=VALUE]': 'Give it a label', 'o, opt NAME=VALUE': 'A setting of its driver' },
      { repeat: true },
    ),
    ...flagsOf('Volume', { 'name NAME': 'Its name' }, { isHidden: true }),
    ...ENGINE_FLAGS,
  ],
  examples: [['tsbuild volume create data', 'then tsbuild run -v data:/data …']],
  run: async (args, shell) => {
    const usage = 'tsbuild volume create [flags] [VOLUME]'
    const [given] = expectArguments(args, { least: 0, most: 1, usage })
    const named = args.text('name')
    if (given !== undefined && named !== undefined) {
      throw usageError(
        'conflicting options: cannot specify a volume-name through both --name and as a positional arg',
      )
    }
    const value = {
      Name: given ?? named ?? '',
      Driver: args.text('driver') ?? 'local',
      DriverOpts: pairs(args.list('opt')),
      Labels: pairs(args.list('label')),
    }
    return await withEngine(args, shell, async ({ client }) => {
      const path = '/volumes/create'
      const answer = await client.json({ method: 'POST', path, body: { kind: 'json', value } })
      await print(shell, `${objectOf(answer).Name}\n`)
      return 0
    })
  },
}

const notKnown = (): string => 'N/A'

const VOLUME_LIST: ListKind<Fields> = {
  columns: {
    Name: ['VOLUME NAME', ({ Name }) => String(Name)],
    Driver: ['DRIVER', ({ Driver }) => String(Driver)],
    Scope: ['SCOPE', ({ Scope }) => String(Scope)],
    Mountpoint: ['MOUNTPOINT', ({ Mountpoint }) => String(Mountpoint)],
    ...LABEL_COLUMNS,
    Links: ['LINKS', ({ UsageData }) => (UsageData ? String(objectOf(UsageData).RefCount) : 'N/A')],
    Size: [
      'SIZE',
      ({ UsageData }) => (UsageData ? humanSize(Number(objectOf(UsageData).Size), 4) : 'N/A'),
    ],
    Availability: ['AVAILABILITY', notKnown],
    Group: ['GROUP', notKnown],
    Status: ['STATUS', notKnown],
  },
  table: ['Driver', 'Name'],
  quiet: '{{.Name}}',
}

const LS: EngineCommand = {
  name: 'ls',
  aliases: ['list'],
  summary: 'List volumes',
  usage: 'tsbuild volume ls [flags]',
  flags: [
    ...FILTERS,
    ...flagsOf('Screen', { 'q, quiet': 'Print names only' }),
    ...FORMAT,
    ...ENGINE_FLAGS,
  ],
  examples: [],
  run: async (args, shell) => {
    expectArguments(args, { least: 0, most: 0, usage: 'tsbuild volume ls [flags]' })
    return await withEngine(args, shell, async ({ client }) => {
      const answer = await client.json({ path: '/volumes', query: { filters: filtersOf(args) } })
      const { Volumes } = objectOf(answer)
      const items = objectsOf(Volumes)
      const sorted = items.toSorted((a, b) => (String(a.Name) < String(b.Name) ? -1 : 1))
      await printList(sorted, VOLUME_LIST, { args, shell })
      return 0
    })
  },
}

const RM: EngineCommand = {
  name: 'rm',
  aliases: ['remove'],
  summary: 'Remove volumes that no container uses',
  usage: 'tsbuild volume rm [flags] VOLUME…',
  flags: [
    ...flagsOf('How', { 'f, force': 'Those that are not there are none of an error' }),
    ...ENGINE_FLAGS,
  ],
  examples: [],
  run: async (args, shell) => {
    const usage = 'tsbuild volume rm [flags] VOLUME…'
    const names = expectArguments(args, { least: 1, most: 10_000, usage })
    return await withEngine(args, shell, async ({ client }) => {
      const query = { force: args.has('force') || undefined }
      return await forEachName(names, shell, async (name) => {
        await client.json({ method: 'DELETE', path: pathOf`/volumes/${name}`, query })
        await print(shell, `${name}\n`)
      })
    })
  },
}

/** `tsbuild volume …` */
export const VOLUME_COMMANDS: readonly EngineCommand[] = [
  CREATE,
  LS,
  inspectCommand('volume'),
  RM,
  VOLUME_PRUNE,
]
