/**
 * Places layers where something is mounted: a process in a mount namespace of its own. Prints what came of
 * it as JSON.
 */
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeMountsPrivate, mount, mountOverlay } from '#builder/linux'
import { PlacedRoot } from '#builder/snapshot'
import { errnoOf } from '#core'
import { detachMount } from '../../../../../builder/linux/mounts/mounts.ts'

/** What came of layers in a root with a mount in it. */
export interface KeptMount {
  readonly hidden: readonly string[]
  readonly placed: readonly string[]
  readonly inMount: string
  readonly collected: readonly string[]
  readonly unmounted: readonly string[]
}

/** What came of layers that are too large for the root, and of smaller ones afterwards. */
export interface FullRoot {
  readonly code: string | undefined
  readonly cause: string | undefined
  readonly afterwards: readonly string[]
}

function keptMount(home: string): KeptMount {
  const [root, layer, upper] = [join(home, 'root'), join(home, 'layer'), join(home, 'upper')]
  for (const path of [root, layer, join(layer, 'mnt'), join(root, 'mnt'), join(root, 'old')]) {
    mkdirSync(path)
  }
  const at = join(root, 'mnt/a b')
  mkdirSync(at)
  mkdirSync(join(layer, 'mnt/a b'))
  for (const name of ['mnt/a b/of layer', 'mnt/beside']) writeFileSync(join(layer, name), name)
  mount(at, { type: 'tmpfs' })
  writeFileSync(join(at, 'mounted'), 'stays')
  const placed = new PlacedRoot(root)
  const { hidden } = placed.place([layer])
  const shown = filesBelow(root)
  writeFileSync(join(at, 'of the step'), '')
  writeFileSync(join(root, 'mnt/new'), '')
  placed.collect(upper)
  const inMount = readFileSync(join(at, 'mounted'), 'utf8')
  detachMount(at)
  placed.place([layer])
  return {
    hidden,
    placed: shown,
    inMount,
    collected: filesBelow(upper),
    unmounted: filesBelow(root),
  }
}

function fullRoot(home: string): FullRoot {
  const [root, large, small] = [join(home, 'root'), join(home, 'large'), join(home, 'small')]
  for (const path of [root, large, small]) mkdirSync(path)
  mount(root, { type: 'tmpfs', data: 'size=256k' })
  writeFileSync(join(small, 'a'), 'small')
  writeFileSync(join(large, 'b'), 'first')
  writeFileSync(join(large, 'c'), Buffer.alloc(1_000_000, 'c'))
  const placed = new PlacedRoot(root)
  placed.place([small])
  let failure: unknown
  try {
    placed.place([large, small])
  } catch (cause) {
    failure = cause
  }
  placed.place([small])
  const { cause } = failure instanceof Error ? failure : {}
  return { code: errnoOf(failure), cause: errnoOf(cause), afterwards: filesBelow(root) }
}

/**
 * The layers of an overlay on two file systems: it gives directories other inode numbers when they have left
 * the cache, as after it was mounted anew.
 */
function renumberedRoot(home: string): readonly string[] {
  const [root, lower, upper, work, layer] = ['root', 'lower', 'upper', 'work', 'layer'].map(
    (name) => {
      return join(home, name)
    },
  ) as [string, string, string, string, string]
  for (const path of [root, lower, upper, work, layer]) mkdirSync(path)
  mount(lower, { type: 'tmpfs' })
  for (const name of ['a', 'b', 'c']) {
    mkdirSync(join(layer, name))
    for (const file of ['one', 'two']) writeFileSync(join(layer, name, file), file)
  }
  const overlay = { lower: [lower], writable: { upper, work } }
  mountOverlay(overlay, root)
  const placed = new PlacedRoot(root)
  placed.place([layer])
  const before = lstatSync(join(root, 'a')).ino
  process.chdir('/')
  detachMount(root)
  // It says that the overlay was not synced, and forbids to mount it again.
  rmSync(join(work, 'work/incompat'), { recursive: true })
  mountOverlay(overlay, root)
  const after = lstatSync(join(root, 'a')).ino
  writeFileSync(join(root, 'a/three'), '')
  placed.collect(join(home, 'found'))
  return [before === after ? 'as before' : 'renumbered', ...filesBelow(join(home, 'found'))]
}

function filesBelow(directory: string): string[] {
  return (readdirSync(directory, { recursive: true }) as string[]).sort()
}

makeMountsPrivate()
const [what, home = ''] = process.argv.slice(2)
const programs = { full: fullRoot, kept: keptMount, renumbered: renumberedRoot }
process.stdout.write(JSON.stringify(programs[what as keyof typeof programs](home)))
