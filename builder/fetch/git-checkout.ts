import { existsSync, lstatSync, mkdirSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { type CacheKey, cacheKeyOf, type LayerId, layerId, type Store } from '#cache'
import { type Json, TsbuildError } from '#core'
import { type LocationDeps, locateRemote } from './git-location.ts'
import { Git, GitError, type GitRun } from './git-process.ts'
import { type GitSource, gitSourceName, isCommit } from './git-source.ts'
import {
  folderOf,
  hasOpenModes,
  openModes,
  removeGitDir,
  removeGitDirs,
  setTimes,
  tidyGitDir,
} from './git-tree.ts'

/** How one commit is fetched. */
export interface GitOptions {
  readonly signal?: AbortSignal | undefined
  /** Value of the Authorization header for an http(s) remote, instead of what its URL says. */
  readonly authorization?: string | undefined
}

/** The files of a commit: a layer of the store, everything owned by root. */
export interface GitCheckout {
  /** Equal for equal files. */
  readonly key: CacheKey
  readonly layer: LayerId
  /** The folder that holds the files. */
  readonly directory: string
  /** Whole hash. */
  readonly commit: string
  /** When the commit was made, in milliseconds since the epoch: also the date of the folder itself. */
  readonly committedMs: number
  /** When it was checked out. */
  readonly createdAt: Date
  /** Whether nothing was fetched. */
  readonly isCached: boolean
}

/** What checkouts need. */
export interface GitDeps {
  readonly store: Store
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Finds out where a remote has moved to. */
  readonly transport: LocationDeps['transport']
  readonly timing: LocationDeps['timing']
}

/** The end of the year 9999, in seconds: the time of a commit may be any number. */
const MAX_TIME = 253_402_300_799

/** Where a ref leads. */
interface Resolved {
  readonly commit: string
  /** Its full name; absent when only the commit is known. */
  readonly refName: string | undefined
  /** Hash of the tag object, when it is an annotated tag. */
  readonly tag: string | undefined
}

interface CheckoutJob {
  readonly source: GitSource
  readonly options: GitOptions
  readonly git: Git
  /** For temporary files. */
  readonly folder: string
  /** Where the remote has moved to; absent: it has not. */
  readonly location: string | undefined
}

/**
 * Fetches the files of a commit into the store. The remote is asked where the ref leads, unless it is a
 * commit hash; stored files are not fetched again. One commit is fetched, without its history.
 * @throws {TsbuildError} DOWNLOAD_FAILED, NOT_FOUND for a ref or folder that is not there,
 * DIGEST_MISMATCH, UNSUPPORTED without git, CANCELLED
 */
export async function checkoutGitSource(
  source: GitSource,
  options: GitOptions,
  deps: GitDeps,
): Promise<GitCheckout> {
  const { remote } = source
  const { signal } = options
  try {
    try {
      return await checkoutFrom(undefined, { source, options }, deps)
    } catch (cause) {
      const value = authorizationOf(source, options)
      if (!(cause instanceof GitError && cause.isRedirect) || value === undefined) throw cause
      const at = await locateRemote(remote, value, { ...deps, signal })
      if (at === remote) throw cause
      return await checkoutFrom(at, { source, options }, deps)
    }
  } catch (cause) {
    if (!(cause instanceof GitError)) throw cause
    throw new TsbuildError(`fetch ${gitSourceName(source)}: ${cause.message}`, {
      code: 'DOWNLOAD_FAILED',
      cause,
      hint: 'check the address and the network; a token is given with --secret id=GIT_AUTH_TOKEN,env=VARIABLE',
    })
  }
}

async function checkoutFrom(
  location: string | undefined,
  { source, options }: Pick<CheckoutJob, 'source' | 'options'>,
  { store, environment }: GitDeps,
): Promise<GitCheckout> {
  await using temporary = store.temporary()
  const home = join(temporary.path, 'home')
  mkdirSync(home)
  const git = new Git(environment, home)
  const job = { source, options, git, folder: temporary.path, location }
  const resolved = await resolveRef(job)
  checkCommit(source, resolved)
  const preimage = documentOf(source, resolved)
  const key = cacheKeyOf(preimage)
  const found = findCheckout(store, key)
  if (found !== undefined) return { ...found, commit: resolved.commit, isCached: true }
  await using _lease = await store.lease(key, {
    signal: options.signal,
    what: `check out ${gitSourceName(source)}`,
  })
  const meanwhile = findCheckout(store, key)
  if (meanwhile !== undefined) return { ...meanwhile, commit: resolved.commit, isCached: true }
  const directory = await checkout(job, resolved)
  const layer = layerId(`g${key.slice(1)}`)
  await store.layers.commitDirectory(directory, { id: layer })
  const description = gitSourceName(source)
  const family = cacheKeyOf({ git: description })
  store.records.put({ key, preimage, family, layer, description })
  const made = findCheckout(store, key)
  if (made === undefined) throw new Error('what was just made is there')
  return { ...made, commit: resolved.commit, isCached: false }
}

function findCheckout(
  store: Store,
  key: CacheKey,
): Omit<GitCheckout, 'commit' | 'isCached'> | undefined {
  const record = store.records.find(key)
  if (record?.layer === undefined) return undefined
  const { layer, createdAt } = record
  const directory = store.layers.directory(layer)
  const stat = lstatSync(directory, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  return { key, layer, directory, createdAt, committedMs: Math.round(stat.mtimeMs) }
}

/** What the files depend on; with a kept `.git` also where it comes from. */
function documentOf(source: GitSource, { commit, refName }: Resolved): Json {
  const { subdir, submodules = true, mtime = 'checkout', remote } = source
  const origin = keepsGitDir(source) ? { remote, refName: refName ?? null } : null
  return { op: 'git', commit, subdir: subdir ?? null, submodules, mtime, origin }
}

/** A folder of a repository has no `.git`. */
function keepsGitDir({ keepGitDir, subdir }: GitSource): boolean {
  return keepGitDir === true && subdir === undefined
}

async function resolveRef(job: CheckoutJob): Promise<Resolved> {
  const { source, git, folder } = job
  const { ref, remote } = source
  if (ref !== undefined && isCommit(ref)) {
    return { commit: ref, refName: undefined, tag: undefined }
  }
  const run = runIn(folder, job)
  const patterns = ref === undefined ? ['HEAD'] : [ref, `${ref}^{}`]
  const listed = await git.run(['ls-remote', '--symref', '--', remote, ...patterns], run)
  const lines = listed.split('\n').map((line) => line.split('\t'))
  const hashOf = (name: string): string | undefined =>
    lines.find(([hash = '', at]) => at === name && isCommit(hash))?.[0]
  if (ref === undefined) {
    const target = lines.find(([first = '', at]) => at === 'HEAD' && first.startsWith('ref: '))
    const commit = hashOf('HEAD')
    if (commit === undefined) throw unknownRefError(source)
    return { commit, refName: target?.[0]?.slice('ref: '.length), tag: undefined }
  }
  // As git-checkout: a branch comes before a tag of the same name.
  const refName = candidates(ref).find((name) => hashOf(name) !== undefined)
  const own = refName === undefined ? undefined : hashOf(refName)
  if (refName === undefined || own === undefined) throw unknownRefError(source)
  const peeled = hashOf(`${refName}^{}`)
  return { commit: peeled ?? own, refName, tag: peeled === undefined ? undefined : own }
}

function candidates(ref: string): readonly string[] {
  const partial = ref.startsWith('refs/') ? ref : `refs/${ref}`
  return ref === 'HEAD' ? [ref] : [partial, `refs/heads/${ref}`, `refs/tags/${ref}`]
}

function unknownRefError(source: GitSource): TsbuildError {
  const ref = source.ref ?? 'HEAD'
  return new TsbuildError(`repository ${source.remote} does not contain ref ${ref}`, {
    code: 'NOT_FOUND',
    hint: 'a ref is a branch, a tag or a whole commit hash',
  })
}

function checkCommit({ checksum }: GitSource, { commit, tag }: Resolved): void {
  if (checksum === undefined) return
  if (commit.startsWith(checksum) || tag?.startsWith(checksum) === true) return
  throw new TsbuildError(`expected checksum to match ${checksum}, got ${commit}`, {
    code: 'DIGEST_MISMATCH',
    hint: 'the ref leads to another commit than it did: check it, then change the checksum',
  })
}

function authorizationOf(
  { remote, credentials }: GitSource,
  { authorization }: GitOptions,
): string | undefined {
  if (!/^https?:/.test(remote)) return undefined
  const basic =
    credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`
  return authorization ?? basic
}

function runIn(directory: string, { source, options, location }: CheckoutJob): GitRun {
  const { remote } = source
  const value = authorizationOf(source, options)
  const header =
    value === undefined
      ? undefined
      : { url: `${new URL(remote).origin}/`, value: `Authorization: ${value}` }
  const moved = location === undefined ? undefined : { from: remote, to: location }
  return { directory, header, moved, signal: options.signal }
}

/** @returns the folder with the wanted files */
async function checkout(job: CheckoutJob, resolved: Resolved): Promise<string> {
  const { source, git, folder } = job
  const { commit } = resolved
  const directory = join(folder, 'checkout')
  mkdirSync(directory, { mode: 0o755 })
  const run = runIn(directory, job)
  await git.run(['init', '--quiet'], run)
  await git.run(['remote', 'add', 'origin', source.remote], run)
  await fetchCommit(job, resolved, directory)
  await git.run(['checkout', '--quiet', '--detach', commit], run)
  const hasSubmodules = existsSync(join(directory, '.gitmodules')) && source.submodules !== false
  if (hasSubmodules) {
    const args = ['submodule', '--quiet', 'update', '--init', '--recursive', '--depth=1']
    await git.run(args, run)
  }
  const [seconds = ''] = (await git.run(['show', '-s', '--format=%ct', commit], run)).split('\n')
  const time = Math.min(Number(seconds), MAX_TIME)
  const isOpen = hasOpenModes(join(directory, '.git'))
  if (keepsGitDir(source)) tidyGitDir(join(directory, '.git'))
  else if (hasSubmodules) removeGitDirs(directory)
  else removeGitDir(directory)
  const wanted = folderOf(directory, source)
  if (!isOpen) openModes(wanted)
  if (source.mtime === 'commit') setTimes(wanted, time)
  utimesSync(wanted, time, time)
  return wanted
}

/** By its ref first: not every server serves a commit that is asked for by its hash. */
async function fetchCommit(job: CheckoutJob, resolved: Resolved, directory: string): Promise<void> {
  const { source, git } = job
  const { commit, refName } = resolved
  const run = runIn(directory, job)
  const one = ['fetch', '--quiet', '--depth=1', '--no-tags', '--no-recurse-submodules', 'origin']
  const all = ['fetch', '--quiet', '--no-recurse-submodules', '--tags', 'origin']
  const everything = [...all, '+refs/heads/*:refs/remotes/origin/*']
  const byRef = refName === undefined ? [] : [[...one, `+${refName}:${localName(refName)}`]]
  const byCommit = [[...one, commit]]
  const ways = source.fetchByCommit === true ? [...byCommit, ...byRef] : [...byRef, ...byCommit]
  let failure: unknown
  for (const args of [...ways, everything]) {
    try {
      await git.run(args, run)
      // The ref may have moved since it was looked up.
      await git.run(['cat-file', '-e', `${commit}^{commit}`], run)
      return
    } catch (cause) {
      if (!(cause instanceof GitError)) throw cause
      failure ??= cause
    }
  }
  throw failure
}

function localName(refName: string): string {
  return refName.startsWith('refs/heads/')
    ? refName.replace('refs/heads/', 'refs/remotes/origin/')
    : refName
}
