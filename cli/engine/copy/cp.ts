import { lstat, stat } from 'node:fs/promises'
import { Transform } from 'node:stream'
import { errnoOf, ioError, type Json, usageError } from '#core'
import { type EngineClient, EngineError, pathOf, sinkOf } from '#engine/client'
import { ENGINE_FLAGS } from '../../arguments/common-flags.ts'
import { type Arguments, expectArguments } from '../../arguments/flags.ts'
import { note, type Shell } from '../../terminal/shell.ts'
import { withEngine } from '../connect/with-engine.ts'
import { type EngineCommand, flagsOf } from '../definition/command.ts'
import { humanSize } from '../format/human.ts'
import { objectOf } from '../format/json.ts'
import {
  copyError,
  isFolderPath,
  linkedPath,
  type Place,
  type PlaceInfo,
  parsePlace,
  routeOf,
} from './places.ts'

const usage = 'tsbuild cp [flags] CONTAINER:PATH PATH|-, or PATH|- CONTAINER:PATH'

/** `tsbuild cp` */
export const COPY: EngineCommand = {
  name: 'cp',
  summary: 'Copy files out of a container, or into one',
  usage,
  flags: [
    ...flagsOf('How', {
      'a, archive': "Files belong to the container's user",
      'L, follow-link': 'What the source is a link to, not the link',
      'q, quiet': 'Do not say what was copied',
    }),
    ...ENGINE_FLAGS,
  ],
  examples: [
    ['tsbuild cp web:/etc/nginx ./nginx', 'a folder out of a container'],
    ['tsbuild cp site/. web:/usr/share/nginx/html', 'what is in a folder'],
    ['tsbuild cp web:/var/log - | tar t', 'as a tar'],
  ],
  run: async (args, shell) => {
    const [from = '', to = ''] = expectArguments(args, { least: 2, most: 2, usage })
    if (from === '') throw usageError('source can not be empty')
    if (to === '') throw usageError('destination can not be empty')
    const [source, target] = [parsePlace(from), parsePlace(to)]
    return await withEngine(args, shell, async ({ client }) => {
      const copy = { client, args, shell }
      if (source.kind === 'container' && target.kind === 'container') {
        throw copyError('copying between containers is not supported')
      }
      if (target.kind === 'container') await copyIn(source, target, copy)
      else if (source.kind === 'container') await copyOut(source, target, copy)
      else throw copyError('must specify at least one container source')
      return 0
    })
  },
}

interface Copy {
  readonly client: EngineClient
  readonly args: Arguments
  readonly shell: Shell
}

type InContainer = Extract<Place, { kind: 'container' }>

async function copyIn(
  source: Place,
  target: InContainer,
  { client, args, shell }: Copy,
): Promise<void> {
  const info = await containerInfo(client, target)
  const path = pathOf`/containers/${target.container}/archive`
  const query = {
    noOverwriteDirNonDir: 'true',
    copyUIDGID: args.has('archive') ? 'true' : undefined,
  }
  const put = async (folder: string, bytes: AsyncIterable<Uint8Array>): Promise<void> => {
    await client.json({
      method: 'PUT',
      path,
      query: { ...query, path: folder },
      body: { kind: 'tar', bytes },
    })
  }
  if (source.kind !== 'local') {
    if (!info.isFolder) {
      throw copyError(`destination "${target.container}:${target.path}" must be a directory`)
    }
    await put(info.path, shell.stdin as unknown as AsyncIterable<Uint8Array>)
    return
  }
  const isFollowed = args.has('follow-link')
  const from = await localInfo(source.path, isFollowed)
  if (!from.isThere) throw missing(source.path)
  const { folder, name } = routeOf(from, info)
  const { packPath } = await import('./pack.ts')
  const counted = new Counted()
  // A path that has to be a folder leads through a link to it.
  const archive = packPath({
    path: source.path,
    name,
    isFollowed: isFollowed || isFolderPath(source.path),
  })
  archive.on('error', (cause) => counted.destroy(cause))
  await put(folder, archive.pipe(counted))
  say(counted.bytes, `${target.container}:${target.path}`, { args, shell })
}

async function copyOut(
  source: InContainer,
  target: Place,
  { client, args, shell }: Copy,
): Promise<void> {
  const path = args.has('follow-link') ? await followed(client, source) : source.path
  const { body, headers } = await client.send({
    path: pathOf`/containers/${source.container}/archive`,
    query: { path },
  })
  if (target.kind !== 'local') {
    const sink = sinkOf(shell.stdout)
    for await (const bytes of body) await sink(bytes)
    return
  }
  const { isFolder } = statOf(headers[STAT])
  const route = routeOf(
    { path: source.path, isThere: true, isFolder },
    await localInfo(target.path, true),
  )
  const { unpackInto } = await import('./unpack.ts')
  const counted = new Counted()
  body.on('error', (cause) => counted.destroy(cause))
  await unpackInto(route, body.pipe(counted))
  say(counted.bytes, target.path, { args, shell })
}

/** Counts what goes through. */
class Counted extends Transform {
  bytes = 0

  override _transform(
    chunk: Uint8Array,
    _encoding: string,
    done: (error: undefined, chunk: Uint8Array) => void,
  ): void {
    this.bytes += chunk.length
    done(undefined, chunk)
  }
}

function say(bytes: number, where: string, { args, shell }: Pick<Copy, 'args' | 'shell'>): void {
  if (!args.has('quiet') && shell.stderr.isTTY === true)
    note(shell, `Successfully copied ${humanSize(bytes)} to ${where}`)
}

const STAT = 'x-docker-container-path-stat'
/** Of Go's file modes. */
const GO_FOLDER = 0x8000_0000
const GO_LINK = 0x0800_0000

interface PathStat {
  readonly isFolder: boolean
  readonly isLink: boolean
  readonly linkTarget: string
}

function statOf(header: string | readonly string[] | undefined): PathStat {
  const text = Buffer.from(String(header ?? ''), 'base64').toString()
  const { mode, linkTarget } = objectOf(JSON.parse(text || '{}') as Json)
  const bits = Number(mode ?? 0)
  return {
    isFolder: hasBit(bits, GO_FOLDER),
    isLink: hasBit(bits, GO_LINK),
    linkTarget: String(linkTarget ?? ''),
  }
}

function hasBit(bits: number, bit: number): boolean {
  return Math.floor(bits / bit) % 2 === 1
}

async function statInContainer(
  client: EngineClient,
  { container, path }: InContainer,
): Promise<PathStat> {
  const { headers, body } = await client.send({
    method: 'HEAD',
    path: pathOf`/containers/${container}/archive`,
    query: { path },
  })
  body.resume()
  return statOf(headers[STAT])
}

/** What is copied to is followed, as the shell's redirections do. */
async function containerInfo(client: EngineClient, place: InContainer): Promise<PlaceInfo> {
  try {
    const found = await statInContainer(client, place)
    if (!found.isLink) return { path: place.path, isThere: true, isFolder: found.isFolder }
    const path = linkedPath(place.path, found.linkTarget)
    const linked = await statInContainer(client, { ...place, path })
    return { path, isThere: true, isFolder: linked.isFolder }
  } catch (cause) {
    // Without a body, an answer to HEAD does not say what is missing: the container, or the path in it.
    if (!(cause instanceof EngineError) || cause.status !== 404) throw cause
    await client.json({ path: pathOf`/containers/${place.container}/json` })
    return { path: place.path, isThere: false, isFolder: false }
  }
}

async function followed(client: EngineClient, place: InContainer): Promise<string> {
  const { isLink, linkTarget } = await statInContainer(client, place)
  return isLink ? linkedPath(place.path, linkTarget) : place.path
}

async function localInfo(path: string, isFollowed: boolean): Promise<PlaceInfo> {
  try {
    const stats = await (isFollowed || isFolderPath(path) ? stat(path) : lstat(path))
    return { path, isThere: true, isFolder: stats.isDirectory() }
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return { path, isThere: false, isFolder: false }
    throw ioError(`look at ${path}`, cause)
  }
}

function missing(path: string): Error {
  return copyError(`lstat ${path}: no such file or directory`)
}
