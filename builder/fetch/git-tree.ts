/** Changes to the files of a checkout. Their names are bytes, which need not be text. */
import { Buffer } from 'node:buffer'
import { type Dirent, lstatSync, lutimesSync, readdirSync } from 'node:fs'
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
