import { mkdirSync, writeFileSync } from 'node:fs'
import { MS, mount, mountOverlay, restrictMount } from '#builder/linux'
import type { Mount } from '#core'
import { mountNothing } from './device-mounts.ts'
import type { EtcFiles } from './etc-files.ts'
import { bindInto, type OnCreate, type Scaffold } from './kernel-mounts.ts'
import { mountTmpfs } from './step-mounts.ts'

/** The directories below the scaffold, a tmpfs that exists only in the step's mount namespace. */
export interface ScaffoldPaths extends Scaffold {
  readonly root: string
  readonly etc: string
  /** For files and sockets that are in memory only. */
  readonly files: string
  /** For what is shown in part only. */
  readonly whole: string
}

function scaffoldPaths(base: string): ScaffoldPaths {
  return {
    root: `${base}/root`,
    proc: `${base}/proc`,
    empty: `${base}/empty`,
    nothing: `${base}/nothing`,
    devices: `${base}/devices`,
    etc: `${base}/etc`,
    files: `${base}/files`,
    whole: `${base}/whole`,
  }
}

/** Puts the scaffold up at `base`. */
export function mountScaffold(base: string): ScaffoldPaths {
  const paths = scaffoldPaths(base)
  mount(base, { type: 'tmpfs', flags: MS.NOSUID | MS.NODEV | MS.NOEXEC, data: 'mode=755' })
  for (const path of Object.values(paths)) if (path !== paths.nothing) mkdirSync(path, 0o755)
  mountNothing(paths)
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
 * Mounts the root of the step. Unless `devices` says otherwise, those in it cannot be opened: device
 * files may be made and shipped in an image, but where nothing else keeps a step from devices of the
 * host, it gets at none through them.
 */
export function mountRoot(
  root: Mount,
  target: string,
  options: { readonly devices: boolean },
): void {
  switch (root.type) {
    case 'overlay':
      mountOverlay(root, target)
      break
    case 'bind':
      mount(target, { source: root.source, flags: MS.BIND })
      if (root.readonly) restrictMount(target, { flags: MS.RDONLY })
      break
    case 'tmpfs':
      mountTmpfs(target, { size: root.size, mode: 0o755, flags: 0 })
      break
    default:
      throw new Error(`a ${root.type} cannot be the root`)
  }
  if (!options.devices) restrictMount(target, { flags: MS.NODEV })
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
