import type { Json } from '#core'
import { usageError } from '#core'
import { type EngineClient, isBefore } from '#engine/client'
import { ENGINE_FLAGS } from '../../arguments/common-flags.ts'
import { type Arguments, expectArguments, type Flag } from '../../arguments/flags.ts'
import { print, type Shell } from '../../terminal/shell.ts'
import { cleanText } from '../../terminal/text.ts'
import { confirmRemoval } from '../connect/confirm.ts'
import { filtersOf } from '../connect/filters.ts'
import { withEngine } from '../connect/with-engine.ts'
import { type EngineCommand, flagsOf } from '../definition/command.ts'
import { humanSize } from '../format/human.ts'
import { type Fields, objectOf } from '../format/json.ts'

/** What is removed together. */
interface Pruned {
  readonly title: string
  readonly names: readonly string[]
  /** In bytes. */
  readonly space: number
}

const FORCE: readonly Flag[] = flagsOf('How', { 'f, force': 'Do not ask' })
const FILTER: readonly Flag[] = flagsOf(
  'Which ones',
  { 'filter NAME=VALUE': 'Only what fits: until=24h, label=NAME' },
  { repeat: true },
)

/** `tsbuild container prune` */
export const CONTAINER_PRUNE: EngineCommand = pruneCommand({
  of: 'container',
  summary: 'Remove all containers that do not run',
  warning: () => 'WARNING! This will remove all stopped containers.',
  prune: pruneContainers,
})

/** `tsbuild network prune` */
export const NETWORK_PRUNE: EngineCommand = pruneCommand({
  of: 'network',
  summary: 'Remove all networks that no container uses',
  warning: () =>
    'WARNING! This will remove all custom networks not used by at least one container.',
  prune: pruneNetworks,
})

/** `tsbuild volume prune` */
export const VOLUME_PRUNE: EngineCommand = pruneCommand({
  of: 'volume',
  summary: 'Remove anonymous volumes that no container uses',
  flags: flagsOf('Which ones', { 'a, all': 'Those with names, too' }),
  warning: (args) =>
    args.has('all')
      ? 'WARNING! This will remove all local volumes not used by at least one container.'
      : 'WARNING! This will remove anonymous local volumes not used by at least one container.',
  prune: pruneVolumes,
})

interface PruneParts {
  readonly of: string
  readonly summary: string
  readonly flags?: readonly Flag[]
  readonly warning: (args: Arguments) => string
  readonly prune: (client: EngineClient, args: Arguments) => Promise<Pruned>
}

function pruneCommand({ of, summary, flags = [], warning, prune }: PruneParts): EngineCommand {
  const usage = `tsbuild ${of} prune [flags]`
  return {
    name: 'prune',
    summary,
    usage,
    flags: [...flags, ...FILTER, ...FORCE, ...ENGINE_FLAGS],
    examples: [],
    run: async (args, shell) => {
      expectArguments(args, { least: 0, most: 0, usage })
      if (!(await confirmRemoval(warning(args), { args, shell }))) return 0
      return await withEngine(args, shell, async ({ client }) => {
        const pruned = await prune(client, args)
        await printPruned(pruned, shell)
        if (of !== 'network') {
          await print(shell, `Total reclaimed space: ${humanSize(pruned.space, 4)}\n`)
        }
        return 0
      })
    },
  }
}

/** `tsbuild system prune` */
export const SYSTEM_PRUNE: EngineCommand = {
  name: 'prune',
  summary: 'Remove what no container uses: containers, networks, images and cached steps',
  usage: 'tsbuild system prune [flags]',
  flags: [
    ...flagsOf('Which ones', {
      'a, all': 'All images that no container has, not only those without a name',
      volumes: 'Anonymous volumes, too',
    }),
    ...FILTER,
    ...FORCE,
    ...ENGINE_FLAGS,
  ],
  examples: [],
  run: async (args, shell) => {
    expectArguments(args, { least: 0, most: 0, usage: 'tsbuild system prune [flags]' })
    if (args.has('volumes') && args.list('filter').some((text) => text.startsWith('until='))) {
      throw usageError('the "until" filter is not supported with "--volumes"')
    }
    if (!(await confirmRemoval(systemWarning(args), { args, shell }))) return 0
    return await withEngine(args, shell, async ({ client }) => {
      let space = 0
      for (const prune of systemParts(args)) {
        const pruned = await prune(client, args)
        await printPruned(pruned, shell)
        space += pruned.space
      }
      await print(shell, `Total reclaimed space: ${humanSize(space, 4)}\n`)
      return 0
    })
  },
}

function systemParts(args: Arguments): readonly PruneParts['prune'][] {
  const volumes = args.has('volumes') ? [pruneVolumesOfSystem] : []
  return [pruneContainers, pruneNetworks, ...volumes, pruneImages, pruneBuilds]
}

function systemWarning(args: Arguments): string {
  const isAll = args.has('all')
  const lines = [
    'all stopped containers',
    'all networks not used by at least one container',
    ...(args.has('volumes') ? ['all anonymous volumes not used by at least one container'] : []),
    isAll ? 'all images without at least one container associated to them' : 'all dangling images',
    isAll ? 'all build cache' : 'unused build cache',
  ].map((line) => `  - ${line}`)
  const filters = args.list('filter').map((filter) => `  - ${filter}`)
  const filtered =
    filters.length === 0 ? [] : ['', '  Items to be pruned will be filtered with:', ...filters]
  return ['WARNING! This will remove:', ...lines, ...filtered, ''].join('\n')
}

async function pruneContainers(client: EngineClient, args: Arguments): Promise<Pruned> {
  const answer = await postPrune(client, '/containers/prune', filtersOf(args))
  return prunedOf('Deleted Containers:', answer.ContainersDeleted, answer)
}

async function pruneNetworks(client: EngineClient, args: Arguments): Promise<Pruned> {
  const answer = await postPrune(client, '/networks/prune', filtersOf(args))
  return prunedOf('Deleted Networks:', answer.NetworksDeleted, answer)
}

/** Before version 1.42 all unused volumes were meant. */
async function pruneVolumes(client: EngineClient, args: Arguments): Promise<Pruned> {
  const { api } = await client.version()
  const more = args.has('all') && !isBefore(api, '1.42') ? { all: ['true'] } : {}
  const answer = await postPrune(client, '/volumes/prune', filtersOf(args, more))
  return prunedOf('Deleted Volumes:', answer.VolumesDeleted, answer)
}

async function pruneVolumesOfSystem(client: EngineClient, args: Arguments): Promise<Pruned> {
  const answer = await postPrune(client, '/volumes/prune', filtersOf(args))
  return prunedOf('Deleted Volumes:', answer.VolumesDeleted, answer)
}

async function pruneImages(client: EngineClient, args: Arguments): Promise<Pruned> {
  const filters = filtersOf(args, { dangling: [args.has('all') ? 'false' : 'true'] })
  const answer = await postPrune(client, '/images/prune', filters)
  const deleted = Array.isArray(answer.ImagesDeleted) ? answer.ImagesDeleted.map(objectOf) : []
  const names = deleted.map(({ Untagged, Deleted }) =>
    typeof Untagged === 'string' ? `untagged: ${Untagged}` : `deleted: ${Deleted}`,
  )
  return prunedOf('Deleted Images:', names, answer)
}

async function pruneBuilds(client: EngineClient, args: Arguments): Promise<Pruned> {
  const query = { all: args.has('all') || undefined, filters: filtersOf(args) }
  const answer = objectOf(await client.json({ method: 'POST', path: '/build/prune', query }))
  return prunedOf('Deleted build cache objects:', answer.CachesDeleted, answer)
}

async function postPrune(
  client: EngineClient,
  path: string,
  filters: string | undefined,
): Promise<Fields> {
  return objectOf(await client.json({ method: 'POST', path, query: { filters } }))
}

function prunedOf(title: string, names: Json | undefined, { SpaceReclaimed }: Fields): Pruned {
  const list = Array.isArray(names) ? names.map(String) : []
  return { title, names: list, space: Number(SpaceReclaimed ?? 0) }
}

async function printPruned({ title, names }: Pruned, shell: Shell): Promise<void> {
  if (names.length === 0) return
  await print(shell, cleanText(`${title}\n${names.map((name) => `${name}\n`).join('')}\n`))
}
