import { mkdirSync } from 'node:fs'
import { MS, mount } from '#builder/linux'
import { mountNothing } from './device-mounts.ts'
import { NOTHING_SPECIAL } from './mount-points.ts'
import { type Scaffold, scaffoldPaths } from './scaffold-paths.ts'

/** Mounts the scaffold of a root at `base`, an existing directory. */
export function mountScaffold(base: string): Scaffold {
  const paths = scaffoldPaths(base)
  mount(base, { type: 'tmpfs', flags: NOTHING_SPECIAL, data: 'mode=755' })
  const { base: _, nothing: __, ...directories } = paths
  for (const path of Object.values(directories)) mkdirSync(path, 0o755)
  mountNothing(paths)
  mount(paths.empty, {
    type: 'tmpfs',
    flags: NOTHING_SPECIAL | MS.RDONLY,
    data: 'nr_blocks=1,nr_inodes=1,mode=755',
  })
  return paths
}
