import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import fc from 'fast-check'
import { openStore } from '#cache'
import { asDiffId, digestOf } from '#core'
import { keyOf, newRoot, putStep, removeRoots, withStore } from './support.ts'

const NAME = 'docker.io/library/hello:latest'

describe('store', () => {
  afterEach(removeRoots)

  it('is made with folders that only its owner may enter', async () => {
    const root = join(newRoot(), 'deep', 'store')
    await withStore(root, (store) => assert.equal(store.root, root))
    for (const folder of ['.', 'blobs', 'blobs/sha256', 'layers', 'tmp', 'corrupt', 'digests']) {
      assert.equal(statSync(join(root, folder)).mode & 0o777, 0o700, folder)
    }
    assert.equal(statSync(dirname(root)).mode & 0o777, 0o777 & ~process.umask())
  })

  it('takes an empty folder and sets its mode to 0700', async () => {
    const root = newRoot()
    mkdirSync(root, { mode: 0o755 })
    await withStore(root, () => undefined)
    assert.equal(statSync(root).mode & 0o777, 0o700)
  })

  const refusals: readonly [string, string, (root: string) => void][] = [
    ['a link', 'STORE_INVALID', (root) => symlinkSync('/tmp', root)],
    ['a file', 'STORE_INVALID', (root) => writeFileSync(root, '')],
    ['below a file', 'STORE_INVALID', (root) => belowFile(root)],
    ['a folder with something else', 'STORE_INVALID', (root) => otherFolder(root)],
    ['of a newer version', 'STORE_INVALID', (root) => newerStore(root)],
  ]
  for (const [what, code, prepare] of refusals) {
    it(`is refused when it is ${what}`, () => {
      const root = newRoot()
      prepare(root)
      const path = what === 'below a file' ? join(root, 'store') : root
      assert.throws(
        () => openStore(path),
        (error: { code: string; hint?: string }) => {
          assert.equal(error.code, code)
          assert.ok(error.hint)
          return true
        },
      )
    })
  }

  it('is refused when another user owns it', function () {
    if (process.geteuid?.() !== 0) this.skip()
    const root = newRoot()
    mkdirSync(root)
    chownSync(root, 12_345, 0)
    assert.throws(() => openStore(root), { code: 'STORE_INVALID' })
  })

  it('is in a folder of another user that is open to this one', async function () {
    if (process.geteuid?.() !== 0) this.skip()
    const root = newRoot()
    mkdirSync(root)
    chownSync(root, 12_345, 0)
    chmodSync(root, 0o1777)
    await withStore(root, (store) => assert.equal(store.root, join(root, 'store')))
    assert.equal(statSync(join(root, 'store')).mode & 0o777, 0o700)
    assert.equal(statSync(root).mode & 0o7777, 0o1777)
    chownSync(join(root, 'store'), 12_345, 0)
    assert.throws(() => openStore(root), { code: 'STORE_INVALID' })
  })

  it('is refused when it may not be written', () => {
    const root = newRoot()
    const isRoot = process.geteuid?.() === 0
    chmodSync(dirname(root), 0o500)
    try {
      if (isRoot) process.seteuid?.(65_534)
      assert.throws(() => openStore(root), { code: 'PERMISSION_DENIED' })
    } finally {
      if (isRoot) process.seteuid?.(0)
      chmodSync(dirname(root), 0o700)
    }
  })

  it('is completed when its creation was interrupted', async () => {
    const root = newRoot()
    mkdirSync(join(root, 'blobs'), { recursive: true })
    writeFileSync(join(root, 'oci-layout'), '')
    await withStore(root, (store) => assert.deepEqual(store.images.list(), []))
    assert.equal(readFileSync(join(root, 'version'), 'utf8'), '1\n')
  })

  const damages: readonly [string, (file: string) => void][] = [
    ['overwritten', (file) => writeFileSync(file, 'this is not a database')],
    ['cut', (file) => truncateSync(file, 5000)],
    ['empty', (file) => truncateSync(file, 0)],
    ['gone', (file) => rmSync(file)],
    ['a folder', (file) => replaceByFolder(file)],
    ['a link', (file) => replaceByLink(file)],
  ]
  for (const [what, damage] of damages) {
    it(`goes on when its database is ${what}: names, blobs and pulled layers are there`, async () => {
      const root = newRoot()
      const diffId = asDiffId(digestOf('a layer'))
      const manifest = await withStore(root, async (store) => {
        await putStep(store, 'a')
        await using folder = store.temporary()
        await store.layers.commitDirectory(folder.path, { diffId })
        const made = await store.blobs.putBytes('application/json', Buffer.from('{}'))
        await store.images.set(NAME, made)
        return made
      })
      damage(join(root, 'tsbuild.db'))
      await withStore(root, async (store) => {
        assert.equal(store.records.find(keyOf('a')), undefined)
        assert.deepEqual(store.images.get(NAME)?.descriptor, manifest)
        await putStep(store, 'a')
        if (what !== 'gone') assert.equal(store.layers.findByDiffId(diffId)?.directory, true)
      })
      await withStore(root, (store) => assert.ok(store.records.find(keyOf('a'))))
    })
  }

  it('opens and returns no wrong record, whichever bytes of its database change', async function () {
    this.timeout(60_000)
    const root = newRoot()
    const names = Array.from({ length: 30 }, (_, i) => `step ${i}`)
    await withStore(root, async (store) => {
      for (const name of names) await putStep(store, name)
    })
    const file = join(root, 'tsbuild.db')
    const good = readFileSync(file)
    const damage = fc.record({
      at: fc.nat(good.length - 1),
      flip: fc.integer({ min: 1, max: 255 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 20 }), async (flips) => {
        const bad = Buffer.from(good)
        for (const { at, flip } of flips) bad[at] = (bad[at] ?? 0) ^ flip
        for (const extension of ['-wal', '-shm']) rmSync(file + extension, { force: true })
        writeFileSync(file, bad)
        await withStore(root, async (store) => {
          for (const name of names) {
            const preimage = store.records.find(keyOf(name))?.preimage
            if (preimage !== undefined) assert.deepEqual(preimage, { name })
          }
          await putStep(store, 'another')
        })
        writeFileSync(join(root, 'boot'), 'an-earlier-boot')
        await withStore(root, async (store) => {
          await putStep(store, 'another')
          assert.ok(store.records.find(keyOf('another')))
        })
      }),
      { numRuns: 60 },
    )
  })

  it('gives out temporary folders, and removes them with everything in them', async () => {
    const root = newRoot()
    await withStore(root, async (store) => {
      const paths = await Promise.all([1, 2].map(() => useTemporary(store)))
      assert.notEqual(paths[0], paths[1])
      for (const path of paths) assert.equal(existsSync(path), false)
    })
    assert.deepEqual(readdirSync(join(root, 'tmp')), [])
  })

  it('removes what dead processes left in tmp, and nothing of running ones', async () => {
    const root = newRoot()
    await withStore(root, async (living) => {
      const kept = living.temporary()
      mkdirSync(join(root, 'tmp', '0123456789abcdef', 'half', 'a', 'layer'), { recursive: true })
      writeFileSync(join(root, 'tmp', '0123456789abcdef.lock'), '')
      mkdirSync(join(root, 'tmp', 'fedcba9876543210'))
      await withStore(root, async (next) => {
        await using _ = next.temporary()
        assert.equal(existsSync(join(root, 'tmp', '0123456789abcdef')), false)
        assert.equal(existsSync(join(root, 'tmp', 'fedcba9876543210')), false)
        await setTimeout(50)
      })
      assert.equal(existsSync(kept.path), true)
      assert.equal(readdirSync(join(root, 'tmp')).length, 2)
    })
    assert.deepEqual(readdirSync(join(root, 'tmp')), [])
  })
})

async function useTemporary(store: ReturnType<typeof openStore>): Promise<string> {
  await using folder = store.temporary()
  let deep = folder.path
  for (let i = 0; i < 12; i++) deep = join(deep, 'd'.repeat(200))
  mkdirSync(deep, { recursive: true })
  const odd = Buffer.concat([Buffer.from(`${folder.path}/`), Buffer.from([0xff, 0xfe])])
  writeFileSync(odd, '')
  symlinkSync('/etc', join(folder.path, 'link'))
  mkdirSync(join(folder.path, 'closed', 'inner'), { recursive: true })
  chmodSync(join(folder.path, 'closed'), 0)
  return folder.path
}

function belowFile(root: string): void {
  writeFileSync(root, '')
}

function otherFolder(root: string): void {
  mkdirSync(root)
  writeFileSync(join(root, 'thesis.tex'), '')
}

function newerStore(root: string): void {
  mkdirSync(root)
  writeFileSync(join(root, 'version'), '2\n')
}

function replaceByFolder(file: string): void {
  rmSync(file)
  mkdirSync(file)
}

function replaceByLink(file: string): void {
  rmSync(file)
  symlinkSync('/etc/passwd', file)
}
