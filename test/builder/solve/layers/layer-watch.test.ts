import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { Gate, LayerWatch, type WorkPool, workPool } from '#builder/solve'
import { type LayerRecord, openStore, type Store } from '#cache'
import { type TemporaryDirectory, temporaryDirectory } from '../../../support/peers/index.ts'

const LOST = 'there is nothing to make it of'

describe('layers that steps can reach', () => {
  let at: TemporaryDirectory
  let store: Store
  let gate: Gate
  let pool: WorkPool
  let watch: LayerWatch

  beforeEach(() => {
    at = temporaryDirectory('layer-watch')
    open()
  })
  afterEach(async () => {
    await close()
    at[Symbol.dispose]()
  })

  function open(): void {
    store = openStore(at.file('store'))
    gate = new Gate()
    pool = workPool(1, gate)
    watch = new LayerWatch({ store, pool, gate })
  }

  async function close(): Promise<void> {
    await pool[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  }

  function fill(directory: string): void {
    mkdirSync(`${directory}/d/e`, { recursive: true })
    for (const name of ['f', 'd/f', 'd/e/f']) writeFileSync(`${directory}/${name}`, name)
  }

  async function commit(): Promise<LayerRecord> {
    await using temporary = store.temporary()
    const directory = join(temporary.path, 'layer')
    fill(directory)
    return store.layers.commitDirectory(directory)
  }

  async function use({ id }: LayerRecord, remake: (path: string) => void): Promise<string> {
    const directory = store.layers.directory(id)
    await watch.use({ id, directory, remake: async (path) => remake(path) })
    return directory
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

  const lose = (): never => {
    throw new Error(LOST)
  }

  const changes: Readonly<Record<string, (directory: string) => void>> = {
    'a write': (path) => writeFileSync(`${path}/d/e/f`, 'changed'),
    'a write with an earlier time': (path) => {
      writeFileSync(`${path}/d/e/f`, 'changed')
      utimesSync(`${path}/d/e/f`, 1, 1)
    },
    'other rights': (path) => chmodSync(`${path}/d/f`, 0o4711),
    'a removed file': (path) => rmSync(`${path}/d/e/f`),
    'a new name': (path) => renameSync(`${path}/d/e/f`, `${path}/d/e/g`),
    'a link to elsewhere': (path) => linkSync(`${path}/d/e/f`, `${at.path}/link-${basename(path)}`),
    'a removed tree': (path) => rmSync(path, { recursive: true }),
  }
  for (const [name, change] of Object.entries(changes)) {
    it(`are made anew after ${name}`, async () => {
      // One is older than the first step, another one is made after it.
      const older = await use(await commit(), fill)
      assert.deepEqual(await step(() => undefined), [])
      const newer = await use(await commit(), fill)
      for (const directory of [older, newer]) {
        const repaired = await step(() => change(directory))
        assert.equal(repaired.length, 1)
        assert.match(repaired[0] ?? '', new RegExp(`^${directory}`))
        assert.equal(readFileSync(`${directory}/d/e/f`, 'utf8'), 'd/e/f')
        assert.deepEqual(await step(() => undefined), [])
      }
    })
  }

  it('are not used any more where they cannot be made', async () => {
    const layer = await commit()
    const directory = await use(layer, lose)
    assert.deepEqual(await step(() => chmodSync(`${directory}/f`, 0o600)), [])
    assert.throws(() => watch.check(directory), { code: 'DIGEST_MISMATCH' })
    await assert.rejects(use(layer, lose), { code: 'DIGEST_MISMATCH' })
    assert.equal(store.layers.get(layer.id), undefined)
    assert.equal(existsSync(directory), false)
  })

  it('are looked over after a step that fails', async () => {
    const directory = await use(await commit(), lose)
    const failing = step(() => {
      chmodSync(`${directory}/f`, 0o600)
      throw new Error('the step fails')
    })
    await assert.rejects(failing, /the step fails/)
    assert.throws(() => watch.check(directory), { code: 'DIGEST_MISMATCH' })
  })

  it('are looked over by the next build when one was killed', async () => {
    const layers = [await commit(), await commit()]
    await step(() => undefined)
    const made = await commit()
    const directories = [...layers, made].map(({ id }) => store.layers.directory(id))
    for (const directory of directories.slice(1)) chmodSync(`${directory}/f`, 0o600)
    await close()
    open()
    await use(layers[0] ?? made, lose)
    await assert.rejects(use(layers[1] ?? made, lose), { code: 'DIGEST_MISMATCH' })
    const again = await use(made, fill)
    assert.equal(readFileSync(`${again}/f`, 'utf8'), 'f')
    await close()
    open()
    await use(made, lose)
  })

  it('are read by no task while a step runs', async () => {
    const order: string[] = []
    const first = gate.pass(async () => {
      await Promise.resolve()
      // What a task waits for may begin, though a step waits.
      await gate.pass(async () => void order.push('inner'))
      order.push('task')
    })
    const run = watch.around({
      run: async () => {
        order.push('step')
        later = gate.pass(async () => void order.push('later'))
        await new Promise(setImmediate)
        order.push('end')
      },
      finish: async () => undefined,
      readsLayers: false,
      onRepaired: () => undefined,
    })
    let later: Promise<void> | undefined
    await Promise.all([first, run])
    await later
    assert.deepEqual(order, ['inner', 'task', 'step', 'end', 'later'])
  })
})
