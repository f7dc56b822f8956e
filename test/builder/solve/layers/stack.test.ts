import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { stackTree } from '#builder/layer'
import { makeWhiteout } from '#builder/linux'
import { Gate, LayerWatch, type WorkPool, workPool } from '#builder/solve'
import { openStore, type Store } from '#cache'
import type { Name } from '#core'
import type { Layer } from '../../../../builder/solve/layers/layer.ts'
import { lowersOf } from '../../../../builder/solve/layers/stack.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../../support/peers/index.ts'

describe('deep stacks', () => {
  let at: TemporaryDirectory
  let store: Store
  let pool: WorkPool
  let watch: LayerWatch
  let layers: Layer[]

  before(async () => {
    at = temporaryDirectory('stack')
    store = await openStore(at.file('store'))
    const gate = new Gate()
    pool = workPool(1, gate)
    watch = new LayerWatch({ store, pool, gate })
    layers = Array.from({ length: 1000 }, (_, index) => layerAt(index))
  })
  after(async () => {
    await pool[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    at[Symbol.dispose]()
  })

  /** Each adds `dN`, with a file, and deletes the one three below. */
  function layerAt(index: number): Layer {
    const directory = at.file(`layer-${index}`)
    mkdirSync(join(directory, `d${index}`), { recursive: true })
    writeFileSync(join(directory, `d${index}/f`), `${index}`)
    if (index >= 3) makeWhiteout(join(directory, `d${index - 3}`))
    const size = undefined
    return {
      base: undefined,
      createdAt: undefined,
      lower: async () => [directory],
      directory: async () => directory,
      checkedLower: async () => [directory],
      tar: async () => ({ diffId: 'sha256:unused' as never, size }),
      diffId: async () => undefined,
    }
  }

  function namesIn(directories: readonly string[]): readonly string[] {
    const tree = stackTree(directories)
    const names = tree.readdir('' as Name)
    tree.close()
    return names
  }

  const directories = (stack: readonly Layer[]) =>
    lowersOf(stack, { store, pool, watch, signal: undefined })

  for (const count of [1, 127, 128, 449, 450, 500, 501, 547, 1000]) {
    it(`of ${count} layers are few directories that show the same`, async () => {
      const found = await directories(layers.slice(0, count))
      assert(found.length <= 450, `${found.length}`)
      const newest = Array.from({ length: Math.min(count, 400) }, (_, i) => count - 1 - i)
      assert.deepEqual(
        found.slice(0, 400).map((path) => basename(path)),
        newest.map((index) => `layer-${index}`),
      )
      const top = [count - 3, count - 2, count - 1].filter((index) => index >= 0)
      assert.deepEqual(namesIn(found), top.map((index) => `d${index}`).sort())
    })
  }

  it('are merged once, and from what was merged before', async () => {
    const before = await directories(layers.slice(0, 500))
    rmSync(at.file('layer-20'), { recursive: true })
    assert.deepEqual(await directories(layers.slice(0, 500)), before)
    const after = await directories(layers.slice(0, 550))
    assert.notEqual(after.at(-1), before.at(-1))
  })

  it('that repeat themselves have each directory once', async () => {
    const [a, b] = [layers[600], layers[601]]
    const stack = Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? a : b)).flatMap(
      (one) => one ?? [],
    )
    const found = await directories(stack)
    assert.deepEqual(
      found.slice(0, 2).map((path) => basename(path)),
      ['layer-601', 'layer-600'],
    )
    assert.equal(found.length, 3)
    assert.deepEqual(namesIn(found), ['d600', 'd601'])
  })
})
