import { writeFileSync } from 'node:fs'
import { MS, mount, restrictMount } from '#builder/linux'
import type { EtcFiles } from './etc-files.ts'
import { moveInto, NOTHING_SPECIAL, type OnCreate } from './mount-points.ts'

/** How the files of /etc are mounted. */
export interface EtcMountOptions {
  /** Where the files are written, outside of the root. */
  readonly directory: string
  readonly onCreate: OnCreate
}

/**
 * Shows the step its own hosts, hostname and resolv.conf. They lie in the scaffold, so nothing of
 * them is written anywhere. `hostname` can be written to, for scripts that do, without effect.
 */
export function mountEtcFiles(root: number, files: EtcFiles, options: EtcMountOptions): void {
  const { directory, onCreate } = options
  const all = [
    ['hosts', files.hosts, NOTHING_SPECIAL | MS.RDONLY],
    ['hostname', files.hostname, NOTHING_SPECIAL],
    ['resolv.conf', files.resolvConf, NOTHING_SPECIAL | MS.RDONLY],
  ] as const
  for (const [name, content, flags] of all) {
    const source = `${directory}/${name}`
    writeFileSync(source, content, { mode: 0o644 })
    mount(source, { source, flags: MS.BIND })
    restrictMount(source, { flags })
    moveInto(root, `/etc/${name}`, { source, kind: 'file', onCreate })
  }
}
