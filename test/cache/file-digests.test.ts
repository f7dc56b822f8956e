import assert from 'node:assert/strict'
import { lstatSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import fc from 'fast-check'
import { type FileIdentity, openFileDigests, openStore } from '#cache'
import { digestOf, type Name, nameOf } from '#core'
import { newRoot, removeRoots } from './support.ts'

const OLD: FileIdentity = { dev: 1, ino: 2, size: 3, mtimeMs: 1e12 + 0.25, ctimeMs: 1e12 }
const name = nameOf('src/a.ts')
const digest = digestOf('content')

describe('file digests', () => {
  let root: string

  beforeEach(async () => {
    root = newRoot()
    await openStore(root)[Symbol.asyncDispose]()
  })
  afterEach(removeRoots)

  it('are found by the next build, as long as nothing about the file differs', () => {
    const first = openFileDigests(root, 'tree')
    first.put(name, OLD, digest)
    first.flush()
    const second = openFileDigests(root, 'tree')
    assert.equal(second.get(name, OLD), digest)
    for (const member of ['dev', 'ino', 'size', 'mtimeMs', 'ctimeMs'] as const) {
      assert.equal(second.get(name, { ...OLD, [member]: OLD[member] + 0.25 }), undefined)
    }
    assert.equal(second.get(nameOf('src/b.ts'), OLD), undefined)
    assert.equal(openFileDigests(root, 'other tree').get(name, OLD), undefined)
  })

  it('are not kept for a file that changed within the granularity of its times', async function () {
    this.timeout(10_000)
    const file = join(root, '..', 'file')
    const racy = openFileDigests(root, 'tree')
    writeFileSync(file, 'one')
    const before = lstatSync(file)
    racy.put(name, before, digestOf('one'))
    // The file is changed after it was read; a coarse clock gives it the same times again.
    racy.flush()
    assert.equal(openFileDigests(root, 'tree').get(name, before), undefined)
    utimesSync(file, 1, 1)
    racy.put(name, lstatSync(file), digestOf('one'))
    racy.flush()
    assert.equal(openFileDigests(root, 'tree').get(name, lstatSync(file)), undefined)
    await setTimeout(2100)
    const later = openFileDigests(root, 'tree')
    later.put(name, lstatSync(file), digestOf('one'))
    later.flush()
    assert.equal(openFileDigests(root, 'tree').get(name, lstatSync(file)), digestOf('one'))
  })

  it('put by several threads at once are all kept', () => {
    const all = Array.from({ length: 5 }, () => openFileDigests(root, 'tree'))
    for (const [index, digests] of all.entries()) {
      digests.put(nameOf(`file-${index}`), OLD, digestOf(`${index}`))
    }
    for (const digests of all) digests.flush()
    const found = openFileDigests(root, 'tree')
    for (const index of all.keys()) {
      assert.equal(found.get(nameOf(`file-${index}`), OLD), digestOf(`${index}`))
    }
    assert.equal(readdirSync(join(root, 'digests')).length, 1)
  })

  it('of files that are gone are dropped after a while', () => {
    const first = openFileDigests(root, 'tree')
    first.put(nameOf('gone'), OLD, digest)
    first.put(name, OLD, digest)
    first.flush()
    for (let build = 0; build < 20; build++) {
      const digests = openFileDigests(root, 'tree')
      assert.equal(digests.get(name, OLD), digest)
      digests.put(nameOf(`new-${build}`), OLD, digest)
      digests.flush()
    }
    const last = openFileDigests(root, 'tree')
    assert.equal(last.get(nameOf('gone'), OLD), undefined)
    assert.equal(last.get(name, OLD), digest)
  })

  it('hold any names and numbers', () => {
    const number = fc.double({ noNaN: true, min: 0, max: 1e12 })
    const identity = fc.record({
      dev: number,
      ino: number,
      size: number,
      mtimeMs: number,
      ctimeMs: number,
    })
    const path = fc
      .uint8Array({ minLength: 1, maxLength: 40 })
      .map((bytes) => Buffer.from(bytes.map((byte) => byte || 1)).toString('latin1') as Name)
    const entries = fc.dictionary(path, identity)
    let tree = 0
    fc.assert(
      fc.property(entries, (files) => {
        const digests = openFileDigests(root, `${++tree}`)
        for (const [path, file] of Object.entries(files)) {
          digests.put(path as Name, file, digestOf(path))
        }
        digests.flush()
        const found = openFileDigests(root, `${tree}`)
        for (const [path, file] of Object.entries(files)) {
          assert.equal(found.get(path as Name, file), digestOf(path))
        }
      }),
      { numRuns: 50 },
    )
  })

  it('in a damaged file are forgotten, never wrong', () => {
    const first = openFileDigests(root, 'tree')
    for (let i = 0; i < 50; i++) first.put(nameOf(`file-${i}`), OLD, digestOf(`${i}`))
    first.flush()
    const file = join(root, 'digests', readdirSync(join(root, 'digests'))[0] ?? '')
    const good = readFileSync(file)
    fc.assert(
      fc.property(
        fc.nat(good.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        (at, flip, cut) => {
          const bad = Buffer.from(good)
          bad[at] = (bad[at] ?? 0) ^ flip
          writeFileSync(file, cut ? good.subarray(0, at) : bad)
          assert.equal(openFileDigests(root, 'tree').get(nameOf('file-7'), OLD), undefined)
        },
      ),
    )
    const next = openFileDigests(root, 'tree')
    next.put(name, OLD, digest)
    next.flush()
    assert.equal(openFileDigests(root, 'tree').get(name, OLD), digest)
  })

  it('of 20,000 files are stored and looked up in no time', () => {
    const paths = Array.from({ length: 20_000 }, (_, i) =>
      nameOf(`src/part-${i % 100}/file-${i}.ts`),
    )
    const first = openFileDigests(root, 'tree')
    for (const path of paths) first.put(path, OLD, digest)
    const started = performance.now()
    first.flush()
    const stored = performance.now()
    const second = openFileDigests(root, 'tree')
    assert.equal(
      paths.every((path) => second.get(path, OLD) === digest),
      true,
    )
    const found = performance.now()
    // Ten times what a quiet machine needs: this guards against the wrong order of growth.
    assert.ok(
      stored - started < 1000 && found - stored < 400,
      `${stored - started}, ${found - stored}`,
    )
  })
})
