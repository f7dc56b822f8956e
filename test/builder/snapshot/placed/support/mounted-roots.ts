/**
 * Places layers where something is mounted: a process in a mount namespace of its own. Prints what came of
 * it as JSON.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeMountsPrivate, mount } from '#builder/linux'
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

function filesBelow(directory: string): string[] {
  return (readdirSync(directory, { recursive: true }) as string[]).sort()
}

makeMountsPrivate()
const [what, home = ''] = process.argv.slice(2)
process.stdout.write(JSON.stringify(what === 'full' ? fullRoot(home) : keptMount(home)))
