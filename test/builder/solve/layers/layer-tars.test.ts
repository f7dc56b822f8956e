import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeLayer } from '#builder/layer'
import { Gate, LayerWatch, type WorkPool, workPool } from '#builder/solve'
import { openStore, type Store } from '#cache'
import { type DiffId, type Name, uncompressedDigest } from '#core'
import { type TemporaryDirectory, temporaryDirectory } from '../../../support/peers/index.ts'

const STAT = { type: 'file', mode: 0o644, uid: 0, gid: 0, mtimeMs: 0, major: 0, minor: 0 } as const

describe('tars of layers that steps can reach', () => {
  let at: TemporaryDirectory
  let store: Store
  let pool: WorkPool
  let watch: LayerWatch
  /** The digests that were taken. */
  let digested: DiffId[]

  beforeEach(() => {
    at = temporaryDirectory('layer-tars')
    open()
  })
  afterEach(async () => {
    await close()
    at[Symbol.dispose]()
  })

  function open(): void {
    store = openStore(at.file('store'))
    const gate = new Gate()
    pool = workPool(1, gate)
    digested = []
    const runBeside = pool.runBeside.bind(pool)
    pool.runBeside = (task, input, signal) => {
      if (task === 'checkLayer' && typeof input === 'object' && 'diffId' in input) {
        digested.push(input.diffId)
      }
      return runBeside(task, input, signal)
    }
    watch = new LayerWatch({ store, pool, gate })
  }

  async function close(): Promise<void> {
    await pool[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  }

  /** A tar with one file, kept as that of a step. */
  async function keep(text: string): Promise<DiffId> {
    await using temporary = store.temporary()
    const tar = join(temporary.path, 'tar')
    const data = Buffer.from(text)
    const stat = { ...STAT, size: data.length, inode: '', nlink: 1 }
    const { diffId, size } = writeLayer([{ kind: 'entry', path: 'f' as Name, stat, data }], { tar })
    assert(diffId !== undefined && size !== undefined)
    await watch.keepTar(tar, { diffId, size })
    return diffId
  }

  const pathOf = (diffId: DiffId): string => store.blobs.path(uncompressedDigest(diffId))

  async function use(diffId: DiffId, remake: () => Promise<void> = lose): Promise<string> {
    const path = pathOf(diffId)
    await watch.useTar({ diffId, path, remake })
    return path
  }

  async function lose(): Promise<never> {
    throw new Error('there is nothing to make it of')
  }

  /** Stores again what a path held. */
  function remakerOf(path: string): () => Promise<void> {
    const bytes = readFileSync(path)
    return async () => writeFileSync(path, bytes)
  }

  async function step(run: () => void): Promise<readonly string[]> {
    const repaired: string[] = []
    const onRepaired = (path: string): void => void repaired.push(path)
    await watch.around({
      run: async () => run(),
      finish: async () => undefined,
      readsLayers: false,
      onRepaired,
    })
    return repaired
  }

  function damage(path: string): void {
    const bytes = readFileSync(path)
    bytes[520] = (bytes[520] ?? 0) ^ 1
    writeFileSync(`${path}.new`, bytes)
    renameSync(`${path}.new`, path)
    utimesSync(path, 1, 1)
  }

  it('are digested when they are used first, unless this build has made them', async () => {
    const [one, other] = [await keep('one'), await keep('other')]
    await use(one)
    await use(one)
    assert.deepEqual(digested, [])
    await close()
    open()
    await use(one)
    await use(one)
    await use(other)
    assert.deepEqual(digested, [one, other])
    assert.deepEqual(await step(() => undefined), [])
    assert.deepEqual(digested, [one, other])
  })

  it('are digested again when a step has touched them', async () => {
    const path = await use(await keep('one'))
    assert.deepEqual(await step(() => utimesSync(path, 1, 1)), [])
    assert.equal(digested.length, 1)
    watch.check(path)
  })

  const changes: Readonly<Record<string, (path: string) => void>> = {
    'a write': damage,
    'another name': (path) => renameSync(path, `${path}.moved`),
    'a directory in their place': (path) => {
      renameSync(path, `${path}.moved`)
      mkdirSync(path)
    },
  }
  for (const [name, change] of Object.entries(changes)) {
    it(`are stored anew after ${name}`, async () => {
      const diffId = await keep('one')
      const path = await use(diffId, remakerOf(pathOf(diffId)))
      assert.deepEqual(await step(() => change(path)), [path])
      const digest = createHash('sha256').update(readFileSync(path)).digest('hex')
      assert.equal(`sha256:${digest}`, diffId)
      assert.deepEqual(await step(() => undefined), [])
    })
  }

  it('are not used any more where they cannot be made', async () => {
    const diffId = await keep('one')
    const path = await use(diffId)
    assert.deepEqual(await step(() => damage(path)), [])
    assert.throws(() => watch.check(path), { code: 'DIGEST_MISMATCH' })
    await assert.rejects(use(diffId), { code: 'DIGEST_MISMATCH' })
    assert.equal(existsSync(path), false)
  })

  it('are found to be damaged by the next build when one was killed', async () => {
    const diffId = await keep('one')
    const path = await use(diffId)
    const remake = remakerOf(path)
    damage(path)
    await close()
    open()
    await use(diffId, remake)
    assert.equal(digested.length, 1)
    damage(path)
    await close()
    open()
    await assert.rejects(use(diffId), { code: 'DIGEST_MISMATCH' })
  })

  it('that another build has stored before are digested', async () => {
    const diffId = await keep('one')
    damage(pathOf(diffId))
    await close()
    open()
    assert.equal(await keep('one'), diffId)
    await assert.rejects(use(diffId), { code: 'DIGEST_MISMATCH' })
    assert.equal(digested.length, 1)
  })
})
