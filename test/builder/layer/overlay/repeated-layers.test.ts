import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { stackTree } from '#builder/layer'
import { makeWhiteout, opaqueXattr, setXattr } from '#builder/linux'
import { isRoot, temporary } from '../support/files.ts'
import { outline } from '../support/listing.ts'

/** What a layer has under a name: a file's content, a deletion, or a directory. */
type Node = string | null | Directory

interface Directory {
  readonly opaque: boolean
  readonly names: Readonly<Record<string, Node>>
}

const node: fc.Arbitrary<Node> = fc.letrec<{ node: Node; directory: Directory }>((tie) => ({
  directory: fc.record({
    opaque: fc.boolean(),
    names: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('node'), { maxKeys: 3 }),
  }),
  node: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'directory' },
    fc.constantFrom('one', 'two', null),
    tie('directory'),
  ),
})).node

const layer: fc.Arbitrary<Directory> = fc.record({
  opaque: fc.constant(false),
  names: fc.dictionary(fc.constantFrom('a', 'b', 'c'), node, { minKeys: 1, maxKeys: 3 }),
})

/** Layers, and stacks of them (indices, topmost first) in which some stand more than once. */
const repetitions = fc.array(layer, { minLength: 1, maxLength: 4 }).chain((layers) =>
  fc.tuple(
    fc.constant(layers),
    fc.array(fc.array(fc.nat(layers.length - 1), { minLength: 1, maxLength: 7 }), {
      minLength: 4,
      maxLength: 8,
    }),
  ),
)

/** The merged view by the definition of a layer: the upper one's changes made to the lower view. */
function merged(lower: Directory | undefined, upper: Directory): Directory {
  const names = new Map<string, Node>(upper.opaque ? [] : Object.entries(lower?.names ?? {}))
  for (const [name, own] of Object.entries(upper.names)) {
    const below = names.get(name)
    names.delete(name)
    if (typeof own === 'string') names.set(name, own)
    else if (own !== null) names.set(name, merged(isDirectory(below) ? below : undefined, own))
  }
  return { opaque: false, names: Object.fromEntries(names) }
}

function isDirectory(one: Node | undefined): one is Directory {
  return typeof one === 'object' && one !== null
}

function linesOf({ names }: Directory, path = ''): string[] {
  return Object.keys(names)
    .sort()
    .flatMap((name) => {
      const child = names[name]
      if (typeof child === 'string') return [`${path}${name}=${child}`]
      return isDirectory(child) ? [`${path}${name}/`, ...linesOf(child, `${path}${name}/`)] : []
    })
}

function write(directory: string, { opaque, names }: Directory): void {
  mkdirSync(directory)
  if (opaque) setXattr(directory, opaqueXattr(), Buffer.from('y'))
  for (const [name, child] of Object.entries(names)) {
    const path = join(directory, name)
    if (child === null) makeWhiteout(path)
    else if (typeof child === 'string') writeFileSync(path, child)
    else write(path, child)
  }
}

function shownByKernel(stacks: readonly (readonly string[])[]): string[][] {
  const child = new URL('../support/show-stacks.js', import.meta.url).pathname
  const args = ['-m', process.execPath, child, JSON.stringify(stacks)]
  return JSON.parse(execFileSync('unshare', args, { encoding: 'utf8', maxBuffer: 1 << 26 }))
}

describe('a stack that holds layers more than once', () => {
  const files = temporary()

  before(function () {
    if (!isRoot) this.skip()
  })

  it('looks as defined, to the kernel and without a mount', () => {
    const property = fc.property(repetitions, ([layers, stacks]) => {
      const made = layers.map((content) => {
        const directory = files.fresh()
        write(directory, content)
        return directory
      })
      const pathsOf = (stack: readonly number[]) => stack.map((index) => made[index] ?? '')
      const truth = stacks.map((stack) => {
        const contents = stack.flatMap((index) => layers[index] ?? [])
        return linesOf(contents.reduceRight<Directory>(merged, { opaque: false, names: {} }))
      })
      assert.deepEqual(shownByKernel(stacks.map(pathsOf)), truth)
      const views = stacks.map((stack) => {
        const tree = stackTree(pathsOf(stack))
        const lines = outline(tree)
        tree.close()
        return lines
      })
      assert.deepEqual(views, truth)
    })
    fc.assert(property, { numRuns: 15 })
  }).timeout(120_000)
})
