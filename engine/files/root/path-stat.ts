import type { BigIntStats } from 'node:fs'
import { formatTime } from '#engine/model'
import {
  findInRoot,
  linkTarget,
  missingPathError,
  type PathTask,
  parseContainerPath,
} from './container-path.ts'
import { RootTree } from './root-tree.ts'

/** What is at a path of a container. Spec: Docker Engine API, header X-Docker-Container-Path-Stat */
export interface PathStat {
  readonly name: string
  /** As lstat(2) says, also of what is not a file. */
  readonly size: number
  /** Go's `os.FileMode`. */
  readonly mode: number
  /** RFC 3339 with nanoseconds. */
  readonly mtime: string
  /** Of a link: the absolute path in the container that it leads to in the end. */
  readonly linkTarget: string
}

/** @throws {TsbuildError} NOT_FOUND, IO_FAILED, USAGE */
export function statPath(task: PathTask): PathStat {
  using tree = new RootTree(task.root)
  const { path } = findInRoot(tree, task, 'where a directory is meant')
  const stats = tree.exactStats(path)
  if (stats === undefined) throw missingPathError(task)
  return {
    name: parseContainerPath(task.path).base,
    size: Number(stats.size),
    mode: goMode(stats),
    mtime: formatTime(stats.mtimeNs),
    linkTarget: stats.isSymbolicLink() ? linkTarget(tree, path) : '',
  }
}

const bit = (number: number): number => 2 ** number
const SETUID = 0o4000n
const SETGID = 0o2000n
const STICKY = 0o1000n

/** Spec: Go, package io/fs, FileMode */
function goMode(stats: BigIntStats): number {
  const { mode } = stats
  const flags: readonly (readonly [boolean, number])[] = [
    [stats.isDirectory(), bit(31)],
    [stats.isSymbolicLink(), bit(27)],
    [stats.isBlockDevice() || stats.isCharacterDevice(), bit(26)],
    [stats.isFIFO(), bit(25)],
    [stats.isSocket(), bit(24)],
    [(mode & SETUID) !== 0n, bit(23)],
    [(mode & SETGID) !== 0n, bit(22)],
    [stats.isCharacterDevice(), bit(21)],
    [(mode & STICKY) !== 0n, bit(20)],
  ]
  const permissions = Number(mode & 0o777n)
  return flags.reduce((sum, [isSet, value]) => (isSet ? sum + value : sum), permissions)
}
