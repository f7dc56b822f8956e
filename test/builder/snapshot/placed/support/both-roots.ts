/**
 * Does the same to a mounted overlay and to a placed root, and tells whether the layers are the same: a
 * process in a mount namespace of its own.
 */
import {
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  type Stats,
} from 'node:fs'
import { join } from 'node:path'
import { makeMountsPrivate, mount, mountOverlay } from '#builder/linux'
import { createWritable, PlacedRoot } from '#builder/snapshot'
import { detachMount } from '../../../../../builder/linux/mounts/mounts.ts'
import { type OperatedRoot, type Operation, operate } from './operations.ts'
import { listed, packed, shownFiles } from './shown-files.ts'

/** Where the placed root is. */
export type RootKind = 'disk' | 'memory' | 'overlay'

/** A step on top of what an earlier one left, or of nothing. */
export interface Step {
  /** Index of the earlier step; negative: none. */
  readonly from: number
  readonly operations: readonly Operation[]
}

/** Steps, each done to both. */
export interface Scenario {
  readonly root: RootKind
  /** What layers of the placed root are. */
  readonly form: 'directory' | 'tar'
  readonly steps: readonly Step[]
}

/** What a step left in both roots; equal when all is well. */
export interface Comparison {
  readonly step: number
  readonly what: string
  readonly overlay: readonly string[]
  readonly placed: readonly string[]
}

/** Layers of both kinds, topmost first. */
interface Stacks {
  readonly overlay: readonly string[]
  readonly placed: readonly string[]
}

/** Whole seconds that all files get that a step changed. */
const STEP_TIME = 1_000_000_000

makeMountsPrivate()
const [scratch] = process.argv.slice(2)
if (scratch === undefined) throw new Error('no directory')
process.on('message', (scenario: Scenario) => {
  process.send?.(compare(scenario))
})

function compare(scenario: Scenario): Comparison[] {
  const home = mkdtempSync(join(scratch ?? '', 'both-'))
  const directory = rootOf(home, scenario.root)
  const root = new PlacedRoot(directory)
  const stacks: Stacks[] = []
  const comparisons: Comparison[] = []
  try {
    for (const [index, { from, operations }] of scenario.steps.entries()) {
      const below = stacks[from] ?? { overlay: [], placed: [] }
      const step = { home: join(home, `${index}`), index, operations, below }
      mkdirSync(step.home)
      stacks.push(compareStep(step, { root, directory, comparisons, form: scenario.form }))
    }
  } finally {
    process.chdir('/')
    if (scenario.root !== 'disk') detachMount(directory)
    rmSync(home, { recursive: true, force: true })
  }
  return comparisons
}

function rootOf(home: string, kind: RootKind): string {
  const [root, lower, upper, work] = ['root', 'lower', 'upper', 'work'].map((name) =>
    join(home, name),
  )
  if (root === undefined || lower === undefined || upper === undefined || work === undefined)
    return ''
  for (const path of [root, lower, upper, work, join(lower, 'old'), join(lower, 'old/er')]) {
    mkdirSync(path)
  }
  if (kind === 'memory') mount(root, { type: 'tmpfs' })
  if (kind === 'overlay') mountOverlay({ lower: [lower], writable: { upper, work } }, root)
  return root
}

interface StepWork {
  readonly home: string
  readonly index: number
  readonly operations: readonly Operation[]
  readonly below: Stacks
}

interface Placing {
  readonly root: PlacedRoot
  readonly directory: string
  readonly comparisons: Comparison[]
  readonly form: Scenario['form']
}

function compareStep(step: StepWork, { root, directory, comparisons, form }: Placing): Stacks {
  const { home, index } = step
  const [union, found] = [join(home, 'union'), join(home, 'found')]
  mkdirSync(union)
  const { lower, lowerOfPlaced } = lowersOf(step)
  const writable = createWritable(join(home, 'writable'), lower)
  const add = (what: string, overlay: readonly string[], placed: readonly string[]): void => {
    comparisons.push({ step: index, what, overlay, placed })
  }
  mountOverlay({ lower, writable }, union)
  try {
    root.place(lowerOfPlaced)
    add('before', shown(union, form), shown(directory, form))
    const started = Date.now() - 20
    const outcomes = step.operations.map((operation) => {
      if (isLeftOut(operation, union)) return LEFT_OUT
      return operate(overlayRoot(union, writable.upper), operation) ?? 'done'
    })
    const placed = placedRoot(directory)
    const others = step.operations.map((operation, i) => {
      return outcomes[i] === LEFT_OUT ? LEFT_OUT : (operate(placed, operation) ?? 'done')
    })
    for (const path of [union, directory]) setTimes(path, started, STEP_TIME + index * 100)
    add('outcomes', outcomes, others)
    add('after', shown(union, form), shown(directory, form))
  } finally {
    process.chdir('/')
    detachMount(union)
  }
  const { upper } = writable
  const stacks = { overlay: [upper, ...lower], placed: [found, ...lowerOfPlaced] }
  const truth = packed(upper, lower, join(home, '1.tar'))
  if (form === 'directory') {
    root.collect(found)
    add('tar', truth, packed(found, lowerOfPlaced, join(home, '2.tar')))
    add('tar on the layers of the other', truth, packed(found, lower, join(home, '3.tar')))
  } else {
    const { diffId } = root.pack(found)
    add('names in the tar', listed(join(home, '1.tar')), listed(found))
    add('digest of the tar', truth.slice(-1), [diffId])
  }
  compareViews(stacks, { home, form, add })
  return stacks
}

/** The lowest layer is an empty one. */
function lowersOf({ home, below }: StepWork): {
  readonly lower: readonly string[]
  readonly lowerOfPlaced: readonly string[]
} {
  if (below.overlay.length > 0) return { lower: below.overlay, lowerOfPlaced: below.placed }
  const base = join(home, 'base')
  mkdirSync(base)
  lutimesSync(base, STEP_TIME, STEP_TIME)
  return { lower: [base], lowerOfPlaced: [base] }
}

interface ViewWork extends Pick<Placing, 'form'> {
  readonly home: string
  readonly add: (what: string, overlay: readonly string[], placed: readonly string[]) => void
}

/** A directory whose time alone has changed is in no tar. */
function shown(directory: string, form: Scenario['form']): readonly string[] {
  const lines = shownFiles(directory)
  return form === 'tar'
    ? lines.map((line) => line.replace(/( 4\d{4} \d+:\d+) @-?\d+$/, '$1'))
    : lines
}

/** What both stacks show: the one mounted, the other placed in a new directory. */
function compareViews(stacks: Stacks, { home, form, add }: ViewWork): void {
  const [union, fresh] = [join(home, 'union'), join(home, 'fresh')]
  mkdirSync(fresh)
  new PlacedRoot(fresh).place(stacks.placed)
  mountOverlay({ lower: stacks.overlay }, union)
  try {
    add('view', shown(union, form), shown(fresh, form))
  } finally {
    process.chdir('/')
    detachMount(union)
  }
}

const LEFT_OUT = 'left out'

/**
 * Opening a file for writing copies it up, and what has several names below counts as changed then. No
 * walk can see that.
 */
function isLeftOut(operation: Operation, union: string): boolean {
  const { op, path } = operation
  if (op !== 'open' && !(op === 'append' && operation.text === '')) return false
  const stat = statOf(join(union, path))
  return stat !== undefined && stat.nlink > 1
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path)
  } catch {
    return undefined
  }
}

function overlayRoot(path: string, upper: string): OperatedRoot {
  const linkOf = (name: string): string | undefined => {
    const stat = statOf(join(upper, name))
    return stat !== undefined && stat.nlink > 1 ? `${stat.ino}` : undefined
  }
  return { path, linkOf, isHome: () => false }
}

function placedRoot(path: string): OperatedRoot {
  const homes = new Map<number, string>()
  const walk = (directory: string): void => {
    for (const entry of readdirSync(join(path, directory), { withFileTypes: true })) {
      if (!entry.isDirectory()) continue
      const name = join(directory, entry.name)
      homes.set(lstatSync(join(path, name)).ino, name)
      walk(name)
    }
  }
  walk('')
  const linkOf = (name: string): string | undefined => {
    const stat = lstatSync(join(path, name))
    return stat.nlink > 1 ? `${stat.ino}` : undefined
  }
  return { path, linkOf, isHome: (inode, name) => homes.get(inode) === name }
}

/** Both were changed at different times: what is new gets the same one. */
function setTimes(directory: string, started: number, seconds: number): void {
  const walk = (path: string): void => {
    const stat = lstatSync(path)
    if (stat.isDirectory()) for (const name of readdirSync(path)) walk(join(path, name))
    if (stat.mtimeMs >= started) lutimesSync(path, seconds, seconds)
  }
  walk(directory)
}
