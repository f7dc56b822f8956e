import { closeSync, constants, fstatSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { MS, mount, mountOverlay, O_PATH, restrictMount } from '#builder/linux'
import { type Mount, TsbuildError, unreachable } from '#core'
import type { EtcFiles } from './etc-files.ts'
import { bindInto, type OnCreate, type Scaffold } from './kernel-mounts.ts'
import { findPlace, pathOf } from './root-tree.ts'

/** The directories below the scaffold, a tmpfs that exists only in the step's mount namespace. */
export interface ScaffoldPaths extends Scaffold {
  readonly root: string
  readonly etc: string
}

function scaffoldPaths(base: string): ScaffoldPaths {
  return {
    root: `${base}/root`,
    proc: `${base}/proc`,
    empty: `${base}/empty`,
    etc: `${base}/etc`,
  }
}

/** Puts the scaffold up at `base`. */
export function mountScaffold(base: string): ScaffoldPaths {
  const paths = scaffoldPaths(base)
  mount(base, { type: 'tmpfs', flags: MS.NOSUID | MS.NODEV | MS.NOEXEC, data: 'mode=755' })
  for (const path of Object.values(paths)) mkdirSync(path, 0o755)
  mount(paths.empty, {
    type: 'tmpfs',
    flags: MS.NOSUID | MS.NODEV | MS.NOEXEC | MS.RDONLY,
    data: 'nr_blocks=1,nr_inodes=1,mode=755',
  })
  return paths
}

/** The host directory that takes up what the step writes to its root. */
export function writableOf(root: Mount): string | undefined {
  if (root.type === 'overlay') return root.writable?.upper
  return root.type === 'bind' && !root.readonly ? root.source : undefined
}

/**
 * Mounts the root of the step. Devices in it cannot be opened: device files may be made and shipped
 * in an image, but a step gets at no device of the host through them.
 */
export function mountRoot(root: Mount, target: string): void {
  switch (root.type) {
    case 'overlay':
      mountOverlay(root, target)
      break
    case 'bind':
      mount(target, { source: root.source, flags: MS.BIND })
      if (root.readonly) restrictMount(target, { flags: MS.RDONLY })
      break
    case 'tmpfs':
      mountTmpfs(target, root.size, 0)
      break
    default:
      unreachable(root)
  }
  restrictMount(target, { flags: MS.NODEV })
}

/** Mounts what the step asked for into its root, in the given order. */
export function mountInto(root: number, step: Mount, onCreate: OnCreate): void {
  const flags = MS.NOSUID | MS.NODEV
  if (step.type === 'bind') {
    const source = openSource(step.source)
    const kind = fstatSync(source).isDirectory() ? 'directory' : 'file'
    const readonly = step.readonly ? MS.RDONLY : 0
    bindInto(root, step.target, { source: pathOf(source), kind, flags: flags | readonly, onCreate })
    closeSync(source)
    return
  }
  const place = findPlace(root, step.target, { create: 'directory', onCreate })
  if (step.type === 'tmpfs') mountTmpfs(pathOf(place.descriptor), step.size, flags)
  else mountOverlay(step, pathOf(place.descriptor))
  closeSync(place.descriptor)
  if (step.type === 'tmpfs') return
  const mounted = findPlace(root, step.target)
  restrictMount(pathOf(mounted.descriptor), { flags })
  closeSync(mounted.descriptor)
}

function openSource(path: string): number {
  try {
    return openSync(path, O_PATH | constants.O_NOFOLLOW)
  } catch (cause) {
    throw new TsbuildError(`mount ${path}: it cannot be opened`, { code: 'IO_FAILED', cause })
  }
}

function mountTmpfs(target: string, size: number | undefined, flags: number): void {
  const data = size === undefined ? 'mode=755' : `mode=755,size=${size}`
  mount(target, { type: 'tmpfs', flags, data })
}

/**
 * Shows the step its own hosts, hostname and resolv.conf. They lie in the scaffold, so nothing of
 * them is written anywhere. `hostname` can be written to, for scripts that do, without effect.
 */
export function mountEtcFiles(root: number, files: EtcFiles, options: EtcMountOptions): void {
  const { directory, onCreate } = options
  const safe = MS.NOSUID | MS.NODEV | MS.NOEXEC
  const all = [
    ['hosts', files.hosts, safe | MS.RDONLY],
    ['hostname', files.hostname, safe],
    ['resolv.conf', files.resolvConf, safe | MS.RDONLY],
  ] as const
  for (const [name, content, flags] of all) {
    const source = `${directory}/${name}`
    writeFileSync(source, content, { mode: 0o644 })
    bindInto(root, `/etc/${name}`, { source, kind: 'file', flags, onCreate })
  }
}

export interface EtcMountOptions {
  /** Where the files are put, outside of the root. */
  readonly directory: string
  readonly onCreate: OnCreate
}
