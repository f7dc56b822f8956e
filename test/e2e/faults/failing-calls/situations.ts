/** What is done with a store on a disk on which a call fails. */
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { busyboxBase, flipBit, pushLayout } from '../../../support/peers/index.ts'
import { MemoryRegistry } from '../../../support/registry/index.ts'
import { writeContext } from '../../support/context.ts'
import { mustBuild } from '../../support/tsbuild.ts'
import type { Disk } from './disk.ts'

/** Where commands find what they need. */
export interface Place {
  readonly disk: Disk
  /** Of the build contexts, on another file system. */
  readonly contexts: string
  /** Of a registry with the base image. */
  readonly host: string
}

type Command = (place: Place) => readonly string[]

/** A command, and what there is before it. */
export interface Situation {
  readonly name: string
  /** Commands on an empty disk, none of which fails. */
  readonly before: readonly Command[]
  /** Damages the store after that. */
  readonly damage?: (disk: Disk) => void
  readonly command: Command
  /** Parts of paths of what the command can do without. */
  readonly dispensable?: readonly string[]
  /** Files that the command writes beside the store, each all of it or none. */
  readonly results?: readonly string[]
  /** Folders that it fills beside the store. */
  readonly folders?: readonly string[]
  /** Names a new registry, which nothing was pushed to. */
  readonly pushesTo?: (host: string) => Command
  /** A build in an empty store in which no step is executed, after the command. */
  readonly proof?: Command
}

const SMALL = ['FROM scratch', 'COPY d /d', '']
const APP = [
  'FROM scratch AS made',
  'COPY --chmod=755 busybox /bin/busybox',
  'COPY d /d',
  'RUN ["/bin/busybox", "cp", "-r", "/d", "/e"]',
  'RUN --mount=type=cache,target=/c ["/bin/busybox", "touch", "/c/x"]',
  'FROM scratch',
  'WORKDIR /w',
  'COPY --from=made /e /e',
  'ADD d/f1 /added/',
  '',
]
/** A layer in each of the forms: a folder alone, both, a tar alone. */
const COPIES = [
  'FROM scratch AS made',
  'COPY d /d',
  'FROM scratch',
  'COPY --chmod=755 busybox /bin/busybox',
  'COPY d /d',
  'RUN ["/bin/busybox", "cp", "/d/f1", "/x"]',
  'COPY --from=made /d/f7 /y',
  'COPY d /last',
  '',
]
/** So many that what is where in the tar is remembered. */
const MANY_FILES = 520
/** Bytes with which the tar of a copy is kept in parts of an earlier one. */
const LARGE = 9 << 20

const build =
  (context: string, ...more: readonly string[]): Command =>
  ({ contexts }) => [
    '--reproducible',
    '-t',
    context.replaceAll('/', '-'),
    ...more,
    join(contexts, context),
  ]
const words =
  (...list: readonly string[]): Command =>
  () =>
    list
const onDisk =
  (flag: string, value: string, command: Command): Command =>
  (place) => [flag, value.replaceAll('DISK', place.disk.path), ...command(place)]

const LOCAL_CACHE = 'type=local,mode=max,dest=DISK/cache'

/** All of them; each begins with an earlier image, but for a new store. */
export const SITUATIONS: readonly Situation[] = [
  { name: 'a build in a new store', before: [], command: build('app') },
  { name: 'a build', before: [build('small')], command: build('app') },
  { name: 'a build again', before: [build('app')], command: build('app') },
  {
    name: 'copies of what changed',
    before: [build('copies/0')],
    command: build('copies/1'),
    dispensable: ['/digests/', 'contents', '/pins'],
  },
  {
    name: 'a copy in parts of an earlier tar',
    before: [build('large/0')],
    command: build('large/1'),
    dispensable: ['/digests/', 'contents', '/pins'],
  },
  {
    name: 'a base that is pulled',
    before: [build('small')],
    command: (place) => ['--build-arg', `BASE=${place.host}/busybox`, ...build('based')(place)],
  },
  {
    name: 'a push',
    before: [build('app')],
    command: words(),
    pushesTo: (host) => words('push', `${host}/app`),
  },
  {
    name: 'an archive',
    before: [build('app')],
    command: onDisk('-o', 'type=oci,dest=DISK/x.tar', build('app')),
    results: ['x.tar'],
  },
  {
    name: 'a folder of files',
    before: [build('app')],
    command: onDisk('-o', 'type=local,dest=DISK/files', build('app')),
    folders: ['files'],
  },
  {
    name: 'a layout',
    before: [build('app')],
    command: onDisk('-o', 'type=oci,tar=false,dest=DISK/layout', build('app')),
    folders: ['layout'],
  },
  {
    name: 'the export of a cache',
    before: [build('small'), build('app')],
    command: onDisk('--cache-to', LOCAL_CACHE, build('app')),
    proof: onDisk('--cache-from', 'type=local,src=DISK/cache', build('app')),
  },
  {
    name: 'the import of a cache',
    before: [
      build('small'),
      onDisk('--cache-to', LOCAL_CACHE, onDisk('--root', 'DISK/other', build('app'))),
    ],
    command: onDisk('--cache-from', 'type=local,src=DISK/cache', build('app')),
  },
  {
    name: 'a prune',
    before: [build('small'), build('copies/0'), build('copies/1'), words('rmi', 'copies-1')],
    command: words('prune', '--all', '--force'),
  },
  {
    name: 'the removal of a name',
    before: [build('small'), build('app')],
    command: words('rmi', '--prune', 'app'),
  },
  { name: 'a new name', before: [build('small')], command: words('tag', 'small', 'other') },
  {
    name: 'a repair',
    before: [build('small'), build('copies/0')],
    damage: damageLargestBlob,
    command: words('store', 'verify', '--repair'),
  },
]

/** Writes the build contexts. */
export async function writeContexts(directory: string): Promise<void> {
  const filesOf = (count: number): Record<string, string | Buffer> =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`d/f${n}`, `file ${n}\n`]))
  const busybox = readFileSync('/bin/busybox')
  const put = (
    name: string,
    dockerfile: readonly string[],
    files: Record<string, string | Buffer>,
  ) => writeContext(join(directory, name), { Dockerfile: dockerfile.join('\n'), busybox, ...files })
  put('small', SMALL, filesOf(3))
  put('app', APP, filesOf(5))
  put('based', ['ARG BASE', 'FROM $BASE', 'RUN echo x > /x', ''], {})
  const large = { ...filesOf(MANY_FILES), 'd/large': Buffer.alloc(LARGE, 'large') }
  put('large/0', SMALL, large)
  put('large/1', SMALL, { ...large, 'd/f7': 'changed\n' })
  put('copies/0', COPIES, filesOf(MANY_FILES))
  put('copies/1', COPIES, { ...filesOf(MANY_FILES), 'd/f7': 'changed\n', 'd/new': 'new\n' })
}

/** A registry with the base image. */
export async function startBaseRegistry(): Promise<MemoryRegistry> {
  const registry = await MemoryRegistry.start()
  await pushLayout(await busyboxBase(), `${registry.host}/busybox:latest`)
  return registry
}

/** Runs what is before a situation, and keeps the disk as it is then. */
export async function prepare({ before, damage }: Situation, place: Place): Promise<void> {
  const { disk } = place
  disk.clear()
  mkdirSync(disk.root)
  for (const command of before) await mustBuild(command(place), { root: disk.root })
  damage?.(disk)
  await disk.keep()
}

/** That of a layer which has a folder as well. */
function damageLargestBlob(disk: Disk): void {
  const folder = join(disk.root, 'blobs/sha256')
  const sizeOf = (name: string): number => statSync(join(folder, name)).size
  const [largest = ''] = readdirSync(folder).toSorted((a, b) => sizeOf(b) - sizeOf(a))
  flipBit(join(folder, largest), 2000)
}
