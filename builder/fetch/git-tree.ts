/** Changes to the files of a checkout. Their names are bytes, which need not be text. */
import { Buffer } from 'node:buffer'
import { chmodSync, type Dirent, lstatSync, lutimesSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { TsbuildError } from '#core'
import { removeTreeSync } from '#disk'
import type { GitSource } from './git-source.ts'

/** Removes from `.git` what depends on when and how it was fetched. */
export function tidyGitDir(gitDir: string): void {
  for (const name of ['FETCH_HEAD', 'ORIG_HEAD', 'logs']) {
    removeTreeSync(join(gitDir, name))
  }
}

/** Removes the `.git` of a repository without submodules. */
export function removeGitDir(directory: string | Buffer): void {
  removeTreeSync(inside(directory, '.git'))
}

/** Removes `.git`, and those of submodules: git itself tracks nothing of that name. */
export function removeGitDirs(directory: string | Buffer): void {
  removeGitDir(directory)
  for (const entry of entriesOf(directory)) {
    if (entry.isDirectory()) removeGitDirs(inside(directory, entry.name))
  }
}

/** Whether a repository was made with the umask 022, so that all modes in it are as they should be. */
export function hasOpenModes(gitDir: string): boolean {
  return (lstatSync(gitDir).mode & 0o7777) === 0o755
}

/**
 * Gives a directory and everything below it the mode that it would have with the umask 022: others may
 * do what the owner may, except for writing.
 */
export function openModes(directory: string | Buffer): void {
  openMode(directory)
  for (const entry of entriesOf(directory)) {
    const path = inside(directory, entry.name)
    if (entry.isDirectory()) openModes(path)
    else if (entry.isFile()) openMode(path)
  }
}

function openMode(path: string | Buffer): void {
  const owner = (lstatSync(path).mode >> 6) & 7
  const others = owner & 5
  chmodSync(path, (owner << 6) | (others << 3) | others)
}

/**
 * The wanted folder of a repository. No link is followed: it could lead out of it.
 * @throws {TsbuildError} NOT_FOUND
 */
export function folderOf(directory: string, { subdir, remote }: GitSource): string {
  let at = directory
  for (const name of subdir?.split('/') ?? []) {
    at = join(at, name)
    if (lstatSync(at, { throwIfNoEntry: false })?.isDirectory() === true) continue
    throw new TsbuildError(`repository ${remote} has no folder ${subdir}`, { code: 'NOT_FOUND' })
  }
  return at
}

/** Sets the time of everything below a directory, in seconds. */
export function setTimes(directory: string | Buffer, time: number): void {
  for (const entry of entriesOf(directory)) {
    const path = inside(directory, entry.name)
    if (entry.isDirectory()) setTimes(path, time)
    lutimesSync(path, time, time)
  }
}

function entriesOf(directory: string | Buffer): readonly Dirent<Buffer>[] {
  return readdirSync(directory, { withFileTypes: true, encoding: 'buffer' })
}

function inside(directory: string | Buffer, name: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from(directory), Buffer.from('/'), Buffer.from(name)])
}
