import { closeSync, constants, mkdirSync, openSync } from 'node:fs'
import { MS, mount, restrictMount } from '#builder/linux'
import { errnoOf, TsbuildError } from '#core'
import {
  findPlace,
  findPlaceIfThere,
  type Place,
  type PlaceKind,
  pathOf,
  type WalkOptions,
} from './root-entry.ts'

export const NOTHING_SPECIAL: number = MS.NOSUID | MS.NODEV | MS.NOEXEC

/** How mount points that are missing get made. */
export type OnCreate = NonNullable<WalkOptions['onCreate']>

/** Where the parts of a step's root come from, all in its own mount namespace. */
export interface Scaffold {
  /** A procfs of the step's pid namespace. */
  readonly proc: string
  /** An empty directory that cannot be written to. */
  readonly empty: string
  /** A device that is empty and takes everything; its attributes cannot be changed. */
  readonly nothing: string
  /** Where the devices of /dev are made when they cannot be opened in /dev itself. */
  readonly devices: string
}

/**
 * Opens the directory that the kernel's file systems go to. A link there would lead the mount
 * somewhere else, also to where nobody expects it, so only an ordinary directory is accepted.
 */
export function openMountPoint(root: number, path: string, onCreate: OnCreate): number {
  const place = findOrdinary(root, path, onCreate)
  if (place.stat.isDirectory()) return place.descriptor
  closeSync(place.descriptor)
  throw notOrdinary(path)
}

function findOrdinary(
  root: number,
  path: string,
  onCreate: OnCreate,
): ReturnType<typeof findPlace> {
  try {
    return findPlace(root, path, { create: 'directory', nofollow: true, onCreate })
  } catch (cause) {
    if (cause instanceof TsbuildError && errnoOf(cause.cause) === 'ELOOP') throw notOrdinary(path)
    throw cause
  }
}

function notOrdinary(path: string): TsbuildError {
  return new TsbuildError(`mount ${path}: the image has no ordinary directory there`, {
    code: 'STEP_FAILED',
    hint: `remove ${path} from the image, or make it a directory`,
  })
}

/** Moves the prepared procfs to /proc. */
export function mountProc(root: number, scaffold: Scaffold, onCreate: OnCreate): void {
  const target = openMountPoint(root, '/proc', onCreate)
  mount(pathOf(target), { source: scaffold.proc, flags: MS.MOVE })
  closeSync(target)
}

/**
 * A /sys, read-only unless asked. Where the kernel refuses a new one (a user namespace that does not
 * own its network), it is the host's, read-only too.
 */
export function mountSys(
  root: number,
  options: { readonly onCreate: OnCreate; readonly readonly: boolean },
): void {
  const target = openMountPoint(root, '/sys', options.onCreate)
  const flags = NOTHING_SPECIAL | (options.readonly ? MS.RDONLY : 0)
  try {
    mount(pathOf(target), { type: 'sysfs', flags })
  } catch (cause) {
    if (errnoOf(cause) !== 'EPERM') throw cause
    mount(pathOf(target), { source: '/sys', flags: MS.BIND | MS.REC })
    restrictAt(root, '/sys', { flags, recursive: true })
  } finally {
    closeSync(target)
  }
}

/** Lets a file or directory look empty. One that does not exist stays so. */
export function maskPath(root: number, path: string, scaffold: Scaffold): void {
  const place = findPlaceIfThere(root, path)
  if (place === undefined) return
  const source = place.stat.isDirectory() ? scaffold.empty : scaffold.nothing
  mount(pathOf(place.descriptor), { source, flags: MS.BIND })
  closeSync(place.descriptor)
}

/** Makes a file or directory read-only with all that is below. */
export function protectPath(root: number, path: string): void {
  const place = findPlaceIfThere(root, path)
  if (place === undefined) return
  const target = pathOf(place.descriptor)
  mount(target, { source: target, flags: MS.BIND | MS.REC })
  closeSync(place.descriptor)
  restrictAt(root, path, { flags: NOTHING_SPECIAL | MS.RDONLY })
}

/** Restricts the mount that is at `path` now. */
export function restrictAt(
  root: number,
  path: string,
  attributes: { readonly flags: number; readonly recursive?: boolean },
): void {
  const place = findPlace(root, path)
  restrictMount(pathOf(place.descriptor), attributes)
  closeSync(place.descriptor)
}

export interface BindOptions {
  readonly source: string
  readonly kind: PlaceKind
  /** `MS` attributes of the new mount. */
  readonly flags: number
  readonly onCreate: OnCreate
  /**
   * A path of ours, where the mount gets its attributes before it is moved to its target: another
   * step may be changing the way to there, where it leads through a directory that both have.
   */
  readonly staging?: string
}

/**
 * Finds where to mount, and makes it when it is missing. A link of the image may lead to its root:
 * what is mounted there would become the root of the step, without anything of ours in it.
 */
export function findTarget(root: number, target: string, options: WalkOptions): Place {
  const place = findPlace(root, target, options)
  if (place.names.length > 0) return place
  closeSync(place.descriptor)
  throw new TsbuildError(`mount ${target}: it leads to the root itself`, {
    code: 'STEP_FAILED',
    hint: 'mount it on a directory of the image, or on one that is not there yet',
  })
}

/** Shows a host file or directory at `target`, which is made when missing. */
export function bindInto(root: number, target: string, options: BindOptions): void {
  const { source, kind, flags, onCreate, staging } = options
  if (staging !== undefined) {
    if (kind === 'directory') mkdirSync(staging)
    else closeSync(openSync(staging, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY))
    mount(staging, { source, flags: MS.BIND })
    restrictMount(staging, { flags })
  }
  const place = findTarget(root, target, { create: kind, onCreate })
  try {
    if (place.stat.isDirectory() !== (kind === 'directory')) {
      const found = place.stat.isDirectory() ? 'a directory' : 'no directory'
      throw new TsbuildError(`mount ${target}: the image has ${found} there`, {
        code: 'STEP_FAILED',
        hint: `mount a ${kind} on a ${kind}`,
      })
    }
    const from = staging ?? source
    mount(pathOf(place.descriptor), { source: from, flags: staging ? MS.MOVE : MS.BIND })
  } finally {
    closeSync(place.descriptor)
  }
  if (staging === undefined) restrictAt(root, target, { flags })
}
