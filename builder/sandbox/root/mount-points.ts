import { closeSync, constants, mkdirSync, openSync } from 'node:fs'
import { MS, mount, restrictMount } from '#builder/linux'
import { type BindMount, errnoOf, TsbuildError } from '#core'
import {
  descriptorPath,
  type EntryKind,
  findEntry,
  type RootEntry,
  type WalkOptions,
} from './root-entry.ts'

/** The attributes of mounts that need no rights, devices or programs. */
export const NOTHING_SPECIAL: number = MS.NOSUID | MS.NODEV | MS.NOEXEC

/** How missing mount points are made. */
export type OnCreate = NonNullable<WalkOptions['onCreate']>

/**
 * Opens the directory that the kernel's file systems go to. A link there would lead the mount
 * somewhere else, so only an ordinary directory is accepted.
 * @throws {TsbuildError} STEP_FAILED
 */
export function openMountPoint(root: number, path: string, onCreate: OnCreate): number {
  const entry = findOrdinary(root, path, onCreate)
  if (entry.stat.isDirectory()) return entry.descriptor
  closeSync(entry.descriptor)
  throw mountPointError(path)
}

function findOrdinary(root: number, path: string, onCreate: OnCreate): RootEntry {
  try {
    return findEntry(root, path, { create: 'directory', nofollow: true, onCreate })
  } catch (cause) {
    if (cause instanceof TsbuildError && errnoOf(cause.cause) === 'ELOOP')
      throw mountPointError(path)
    throw cause
  }
}

function mountPointError(path: string): TsbuildError {
  return new TsbuildError(`mount ${path}: the image has no ordinary directory there`, {
    code: 'STEP_FAILED',
    hint: `remove ${path} from the image, or make it a directory`,
  })
}

/**
 * Finds where to mount, and makes it when it is missing. A link of the image may lead to its root:
 * what is mounted there would become the root of the step, without anything of ours in it.
 * @throws {TsbuildError} STEP_FAILED
 */
export function findTarget(root: number, target: string, options: WalkOptions): RootEntry {
  const entry = findEntry(root, target, options)
  if (entry.names.length > 0) return entry
  closeSync(entry.descriptor)
  throw new TsbuildError(`mount ${target}: it leads to the root itself`, {
    code: 'STEP_FAILED',
    hint: 'mount it on a directory of the image, or on one that is not there yet',
  })
}

/** What is moved, and how. */
export interface MoveOptions {
  /** A path outside of the root: of the mount. */
  readonly source: string
  readonly kind: EntryKind
  readonly onCreate: OnCreate
}

/** Moves a mount to `target`, which is made when missing. @throws {TsbuildError} STEP_FAILED */
export function moveInto(root: number, target: string, options: MoveOptions): void {
  const { source, kind, onCreate } = options
  const entry = findTarget(root, target, { create: kind, onCreate })
  try {
    if (entry.stat.isDirectory() !== (kind === 'directory')) {
      const found = entry.stat.isDirectory() ? 'a directory' : 'no directory'
      throw new TsbuildError(`mount ${target}: the image has ${found} there`, {
        code: 'STEP_FAILED',
        hint: `mount a ${kind} on a ${kind}`,
      })
    }
    mount(descriptorPath(entry.descriptor), { source, flags: MS.MOVE })
  } finally {
    closeSync(entry.descriptor)
  }
}

/** How mounts below one are shown. */
type Below = Pick<BindMount, 'readonly' | 'recursive' | 'writableBelow'>

/** What is bound, and how. */
export interface BindOptions extends MoveOptions, Partial<Below> {
  /** `MS` attributes of the new mount. */
  readonly flags: number
  /**
   * A path of ours, where the mount gets its attributes before it is moved to its target: another
   * step may be changing the way to there, where it leads through a directory that both have.
   */
  readonly staging: string
}

/** Shows a host file or directory at `target`, which is made when missing. */
export function bindInto(root: number, target: string, options: BindOptions): void {
  const { source, kind, onCreate, staging, recursive } = options
  makeStaging(staging, kind)
  mount(staging, { source, flags: MS.BIND | (recursive === true ? MS.REC : 0) })
  restrictBind(staging, options)
  moveInto(root, target, { source: staging, kind, onCreate })
}

/** Makes what something is mounted on for a moment. */
export function makeStaging(path: string, kind: EntryKind): void {
  if (kind === 'directory') mkdirSync(path)
  else closeSync(openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY))
}

/** Gives a bind mount its attributes. @throws {TsbuildError} UNSUPPORTED where mounts below it would be writable */
export function restrictBind(
  path: string,
  { flags, ...below }: Partial<Below> & { readonly flags: number },
): void {
  if (flags !== 0) restrictMount(path, { flags })
  const { readonly, recursive, writableBelow } = below
  if (readonly !== true || recursive !== true || writableBelow === 'always') return
  try {
    restrictMount(path, { flags: MS.RDONLY, recursive: true })
  } catch (cause) {
    if (writableBelow === undefined && errnoOf(cause) === 'ENOSYS') return
    throw new TsbuildError('mount it read-only with all that is below: the kernel cannot', {
      code: 'UNSUPPORTED',
      hint: 'use Linux 5.12 or newer, or a mount that is not read-only recursively',
      cause,
    })
  }
}

/** What a tmpfs is like. */
export interface TmpfsOptions {
  /** Bytes; `undefined`: half of the memory. */
  readonly size: number | undefined
  readonly mode: number
  readonly flags: number
  /** Default: root. */
  readonly uid?: number
  readonly gid?: number
  /** More options of the file system. */
  readonly data?: readonly string[]
}

/** Mounts a new tmpfs. */
export function mountTmpfs(target: string, options: TmpfsOptions): void {
  const { size, mode, flags, uid = 0, gid = 0, data = [] } = options
  const all = [
    `mode=${mode.toString(8)}`,
    ...(size === undefined ? [] : [`size=${size}`]),
    ...(uid === 0 ? [] : [`uid=${uid}`]),
    ...(gid === 0 ? [] : [`gid=${gid}`]),
    ...data,
  ]
  mount(target, { type: 'tmpfs', flags, data: all.join(',') })
}
