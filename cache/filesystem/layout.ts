import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, type Stats } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { errnoOf, TsbuildError } from '#core'
import { makeFolders } from '#disk'
import { invalidStoreError, storeError } from './failure.ts'
import { FOLDER_KINDS, type FolderKind, folderKind } from './folder-kind.ts'

/** The paths of a store. An OCI image layout, with what tsbuild keeps besides. */
export interface Layout {
  readonly root: string
  /** `<hex>` of every blob. Spec: image-spec v1.1 image-layout.md#blobs */
  readonly blobs: string
  /** `<hex>` of blobs that are kept in parts of others. */
  readonly parts: string
  readonly index: string
  readonly ociLayout: string
  /** A folder in overlay form per layer, of the kind that this process uses. */
  readonly layers: string
  /** Directories that steps mount to keep things from one build to the next. */
  readonly mounts: string
  /** What is being written; each process has a folder here. */
  readonly temporary: string
  /** What was found damaged and set aside. */
  readonly corrupt: string
  /** Persistent digests of the files of build contexts. */
  readonly digests: string
  /** What is where in the tars of copies. */
  readonly contents: string
  /** What builds did and what their steps printed, a folder each. */
  readonly builds: string
  /** What failed steps have left. */
  readonly kept: string
  readonly database: string
  /** What the engine keeps: it can not be made again. */
  readonly engineDatabase: string
  /** Held by the process that writes what the engine keeps. */
  readonly engineLock: string
  /** The files of containers, a folder each. */
  readonly containers: string
  /** The files of volumes, a folder each. */
  readonly volumes: string
  readonly databaseLock: string
  /** Held while names change and while the store is made or recovered. */
  readonly lock: string
  /** Held while something is removed that nobody relies on: see sweep-gate.ts */
  readonly sweepLock: string
  /** Held by the one process that looks for what can be removed. */
  readonly collectionLock: string
  /** What the store took when it was looked at last. */
  readonly size: string
  readonly version: string
  /** The boot under which the store was last found sound. */
  readonly boot: string
}

/** Raised when an older tsbuild would misread the store. */
const VERSION = 1

const KNOWN = new Set([
  ...'blobs index.json oci-layout mounts tmp corrupt digests contents builds kept version boot'.split(
    ' ',
  ),
  ...[
    'containers',
    'volumes',
    'run',
    'engine.lock',
    'parts',
    'lock',
    'sweep.lock',
    'collection.lock',
    'size',
    'lost+found',
  ],
  ...FOLDER_KINDS.map(({ folder }) => folder),
])

/** The paths of the store at `root`. */
export function layoutOf(root: string): Layout {
  const absolute = ownFolder(resolve(root))
  return {
    root: absolute,
    blobs: join(absolute, 'blobs', 'sha256'),
    parts: join(absolute, 'parts'),
    index: join(absolute, 'index.json'),
    ociLayout: join(absolute, 'oci-layout'),
    layers: layersFolder(absolute, folderKind()),
    mounts: join(absolute, 'mounts'),
    temporary: join(absolute, 'tmp'),
    corrupt: join(absolute, 'corrupt'),
    digests: join(absolute, 'digests'),
    contents: join(absolute, 'contents'),
    builds: join(absolute, 'builds'),
    kept: join(absolute, 'kept'),
    database: join(absolute, 'tsbuild.db'),
    engineDatabase: join(absolute, 'engine.db'),
    engineLock: join(absolute, 'engine.lock'),
    containers: join(absolute, 'containers'),
    volumes: join(absolute, 'volumes'),
    databaseLock: join(absolute, 'tsbuild.db-lock'),
    lock: join(absolute, 'lock'),
    sweepLock: join(absolute, 'sweep.lock'),
    collectionLock: join(absolute, 'collection.lock'),
    size: join(absolute, 'size'),
    version: join(absolute, 'version'),
    boot: join(absolute, 'boot'),
  }
}

/**
 * The folder of the store itself: `root`, or `store` in it where `root` is another user's and open to this
 * one, as volumes are in pods of Kubernetes that are not root's.
 */
function ownFolder(root: string): string {
  try {
    const found = lstatSync(root)
    const isLent = found.uid !== process.geteuid?.() && (found.mode & 0o022) !== 0
    return found.isDirectory() && isLent ? join(root, 'store') : root
  } catch {
    // Absent, or not to be reached: opening the store tells.
    return root
  }
}

/** Where the folders of a kind are. */
export function layersFolder(root: string, { folder }: FolderKind): string {
  return join(root, folder)
}

/**
 * Makes the folders of a store, or checks those that are there; each has mode 0700, because layers
 * hold set-uid programs.
 * @throws {TsbuildError} STORE_INVALID, PERMISSION_DENIED, NO_SPACE
 */
export function ensureFolders(layout: Layout): void {
  const doing = `open the store ${layout.root}`
  try {
    makeFolders(dirname(layout.root))
    const root = ensureFolder(layout.root)
    const us = process.geteuid?.()
    if (root.uid !== us) {
      throw new TsbuildError(`${doing}: it belongs to user ${root.uid}, not to ${us}`, {
        code: 'STORE_INVALID',
        hint: `name a folder that is this user's with --root or TSBUILD_ROOT: ${layout.root}/tsbuild, say, if you may make it`,
      })
    }
    const stranger = isMade(layout)
      ? undefined
      : readdirSync(layout.root).find((name) => !isKnown(name))
    if (stranger !== undefined) {
      throw invalidStoreError(`${doing}: it is not a store, it has ${JSON.stringify(stranger)}`)
    }
    if ((root.mode & 0o077) !== 0) chmodSync(layout.root, 0o700)
    ensureFolder(dirname(layout.blobs))
    for (const name of ['blobs', 'layers', 'mounts', 'temporary', 'corrupt', 'digests'] as const) {
      ensureFolder(layout[name])
    }
  } catch (cause) {
    throw storeError(doing, cause)
  }
}

function isKnown(name: string): boolean {
  return (
    KNOWN.has(name) ||
    name.startsWith('tsbuild.db') ||
    name.startsWith('engine.db') ||
    name.startsWith('.')
  )
}

function ensureFolder(path: string): Stats {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory()) return found
  const what = found?.isSymbolicLink() ? 'a symbolic link' : 'not a folder'
  if (found !== undefined) throw invalidStoreError(`open the store: ${path} is ${what}`)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (cause) {
    // Another process was faster.
    if (errnoOf(cause) !== 'EEXIST') throw cause
  }
  return lstatSync(path)
}

/** The content of the version file of a store that this tsbuild makes. */
export const VERSION_TEXT: string = `${VERSION}\n`

/** The content of `oci-layout`. Spec: image-spec v1.1 image-layout.md#oci-layout-file */
export const OCI_LAYOUT_TEXT = '{"imageLayoutVersion":"1.0.0"}'

/** False when the store is new, was not made completely, or has no version file. */
function isMade(layout: Layout): boolean {
  const text = readIfThere(layout.version)
  if (text === VERSION_TEXT) return true
  const version = /^\d{1,9}\n?$/.test(text ?? '') ? Number(text) : 0
  if (version > VERSION) throw newerStoreError(layout.root, version)
  return false
}

function newerStoreError(root: string, version: number): TsbuildError {
  return new TsbuildError(
    `open the store ${root}: it has format ${version}, which this tsbuild does not know`,
    { code: 'STORE_INVALID', hint: 'use a newer tsbuild, or another store with --root' },
  )
}

/** A small text file, or `undefined` without a regular file. */
export function readIfThere(path: string): string | undefined {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isFile()) return undefined
  return readFileSync(path, 'utf8')
}
