import assert from 'node:assert/strict'
import { lstatSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import fc from 'fast-check'
import { type FileDigests, openFileDigests, openStore, sizeOfFileDigests } from '#cache'
import { type Digest, digestOf, type FileIdentity, type Name, nameOf } from '#core'
import type { KnownContent } from '../../../cache/digests/digest-block.ts'
import { newRoot, removeRoots } from '../support.ts'

const OLD: FileIdentity = { dev: 1, ino: 2, size: 3, mtimeMs: 1e12 + 0.25, ctimeMs: 1e12 }
const name = nameOf('src/a.ts')
const content = contentOf('content')

function contentOf(text: string): KnownContent {
  return { digest: digestOf(text), isBare: text.length % 2 === 0 }
}

describe('file digests', () => {
  let root: string
  const opened: FileDigests[] = []

  const open = (tree: string, options?: { readonly isSealed: boolean }): FileDigests => {
    const digests = openFileDigests(root, tree, options)
    opened.push(digests)
    return digests
  }

  beforeEach(async () => {
    root = newRoot()
    await openStore(root)[Symbol.asyncDispose]()
  })
  afterEach(() => {
    for (const digests of opened.splice(0)) digests[Symbol.dispose]()
    removeRoots()
  })

  it('are found by the next build, as long as nothing about the file differs', () => {
    const first = open('tree')
    first.put(name, OLD, content)
    first.flush()
    const second = open('tree')
    assert.deepEqual(second.get(name, OLD), content)
    for (const member of ['dev', 'ino', 'size', 'mtimeMs', 'ctimeMs'] as const) {
      assert.equal(second.get(name, { ...OLD, [member]: OLD[member] + 0.25 }), undefined)
    }
    assert.equal(second.get(nameOf('src/b.ts'), OLD), undefined)
    assert.equal(open('other tree').get(name, OLD), undefined)
  })

  it('know what a selection held, as long as it is in the same state', () => {
    const [selection, other, state] = ['s', 'o', 'state'].map(digestOf) as [Digest, Digest, Digest]
    const known = { selection, state, content: digestOf('content') }
    const first = open('tree')
    first.putSelection(known, OLD.ctimeMs)
    first.putSelection({ ...known, selection: other }, Date.now() - 500)
    assert.equal(first.selectionContent(known), undefined)
    first.flush()
    const second = open('tree')
    assert.equal(second.selectionContent(known), known.content)
    assert.equal(second.selectionContent({ selection, state: other }), undefined)
    // It had changed a moment ago.
    assert.equal(second.selectionContent({ selection: other, state }), undefined)
    second.put(name, OLD, content)
    second.flush()
    const third = open('tree')
    assert.equal(third.selectionContent(known), known.content)
    assert.equal(third.count, 1)
    third.putSelection({ ...known, state: other }, OLD.ctimeMs)
    for (let index = 0; index < 70; index += 1) {
      third.putSelection({ ...known, selection: digestOf(`${index}`) }, OLD.ctimeMs)
    }
    third.flush()
    const last = open('tree')
    assert.deepEqual(last.get(name, OLD), content)
    assert.equal(last.selectionContent(known), undefined)
    assert.equal(last.selectionContent({ selection, state: other }), known.content)
    assert.equal(last.selectionContent({ selection: digestOf('1'), state }), known.content)
    assert.equal(last.selectionContent({ selection: digestOf('69'), state }), undefined)
  })

  it('have a size once they are written, and none where they cannot be', () => {
    assert.equal(sizeOfFileDigests(root, 'tree'), undefined)
    const first = open('tree')
    first.put(name, OLD, content)
    first.flush()
    assert.ok((sizeOfFileDigests(root, 'tree') ?? 0) > 100)
    assert.equal(sizeOfFileDigests(join(root, 'tsbuild.db'), 'tree'), undefined)
    assert.equal(sizeOfFileDigests('/x'.repeat(5000), 'tree'), undefined)
  })

  it('are kept of new files where nothing is written any more, unless they are few', () => {
    const now = Date.now()
    const file = { ...OLD, mtimeMs: now, ctimeMs: now }
    const keep = (tree: string, count: number, size: number): void => {
      const digests = open(tree, { isSealed: true })
      for (let index = 0; index < count; index++) {
        digests.put(nameOf(`f${index}`), { ...file, size }, content)
      }
      digests.flush()
    }
    keep('many', 500, 1)
    assert.deepEqual(open('many').get(nameOf('f7'), { ...file, size: 1 }), content)
    keep('large', 1, 8 << 20)
    assert.deepEqual(open('large').get(nameOf('f0'), { ...file, size: 8 << 20 }), content)
    keep('few', 499, 1)
    assert.equal(sizeOfFileDigests(root, 'few'), undefined)
  })

  it('are not kept for a file that changed within the granularity of its times', async function () {
    this.timeout(10_000)
    const file = join(root, '..', 'file')
    const racy = open('tree')
    writeFileSync(file, 'one')
    const before = lstatSync(file)
    racy.put(name, before, contentOf('one'))
    // The file is changed after it was read; a coarse clock gives it the same times again.
    racy.flush()
    assert.equal(open('tree').get(name, before), undefined)
    utimesSync(file, 1, 1)
    racy.put(name, lstatSync(file), contentOf('one'))
    racy.flush()
    assert.equal(open('tree').get(name, lstatSync(file)), undefined)
    await setTimeout(2100)
    const later = open('tree')
    later.put(name, lstatSync(file), contentOf('one'))
    later.flush()
    assert.deepEqual(open('tree').get(name, lstatSync(file)), contentOf('one'))
  })

  it('put by several threads at once are all kept', () => {
    const all = Array.from({ length: 5 }, () => open('tree'))
    for (const [index, digests] of all.entries()) {
      digests.put(nameOf(`file-${index}`), OLD, contentOf(`${index}`))
    }
    for (const digests of all) digests.flush()
    const found = open('tree')
    for (const index of all.keys()) {
      assert.deepEqual(found.get(nameOf(`file-${index}`), OLD), contentOf(`${index}`))
    }
    assert.equal(readdirSync(join(root, 'digests')).length, 1)
  })

  it('of files that do not exist any more are dropped after many days', () => {
    const first = open('tree')
    first.put(nameOf('gone'), OLD, content)
    first.put(name, OLD, content)
    first.flush()
    const { now } = Date
    try {
      for (let day = 1; day <= 20; day++) {
        Date.now = () => now() + day * 25 * 3600 * 1000
        const digests = open('tree')
        assert.deepEqual(digests.get(name, OLD), content)
        digests.put(nameOf(`new-${day}`), OLD, content)
        digests.flush()
      }
    } finally {
      Date.now = now
    }
    const last = open('tree')
    assert.equal(last.get(nameOf('gone'), OLD), undefined)
    assert.deepEqual(last.get(name, OLD), content)
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
        const digests = open(`${++tree}`)
        for (const [path, file] of Object.entries(files)) {
          digests.put(path as Name, file, contentOf(path))
        }
        digests.flush()
        const found = open(`${tree}`)
        for (const [path, file] of Object.entries(files)) {
          assert.deepEqual(found.get(path as Name, file), contentOf(path))
        }
      }),
      { numRuns: 50 },
    )
  })

  it('in a damaged file are forgotten, never wrong', () => {
    const first = open('tree')
    for (let i = 0; i < 50; i++) first.put(nameOf(`file-${i}`), OLD, contentOf(`${i}`))
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
          assert.equal(open('tree').get(nameOf('file-7'), OLD), undefined)
        },
      ),
    )
    const next = open('tree')
    next.put(name, OLD, content)
    next.flush()
    assert.deepEqual(open('tree').get(name, OLD), content)
  })

  it('in a damaged block are forgotten, those in others are not', () => {
    const paths = Array.from({ length: 2000 }, (_, i) => nameOf(`file-${i}`))
    const first = open('tree')
    for (const path of paths) first.put(path, OLD, contentOf(path))
    first.flush()
    const file = join(root, 'digests', readdirSync(join(root, 'digests'))[0] ?? '')
    const good = readFileSync(file)
    let most = 0
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bad = Buffer.from(good)
        bad[at] = (bad[at] ?? 0) ^ flip
        writeFileSync(file, bad)
        using damaged = openFileDigests(root, 'tree')
        const found = paths.filter((path) => {
          const known = damaged.get(path, OLD)
          if (known !== undefined) assert.deepEqual(known, contentOf(path))
          return known !== undefined
        })
        assert.ok(found.length < paths.length)
        most = Math.max(most, found.length)
      }),
      { numRuns: 40 },
    )
    assert.ok(most >= 1000)
  })

  it('put and asked for in any order, by writers side by side, are those of a map', () => {
    // Names among which the order of a walk is not that of the text.
    const name = (number: number): Name => nameOf([...String(number)].join('/').replace('/7', '.7'))
    const walk = fc.record({
      from: fc.nat(9000),
      count: fc.integer({ min: 1, max: 6000 }),
      step: fc.constantFrom(1, 7, 4999),
      backwards: fc.boolean(),
    })
    const writer = fc.record({
      walks: fc.array(walk, { minLength: 1, maxLength: 3 }),
      asked: fc.nat(10_000),
    })
    const generation = fc.array(writer, { minLength: 1, maxLength: 2 })
    let tree = 0
    fc.assert(
      fc.property(fc.array(generation, { minLength: 1, maxLength: 3 }), (generations) => {
        const model = new Map<Name, KnownContent>()
        const id = `${++tree}`
        let version = 0
        for (const writers of generations) {
          const all = writers.map((each) => ({ ...each, digests: openFileDigests(root, id) }))
          for (const { digests, walks, asked } of all) {
            digests.get(name(asked), OLD)
            for (const { from, count, step, backwards } of walks) {
              version++
              const numbers = Array.from({ length: count }, (_, i) => (from + i * step) % 10_000)
              for (const number of backwards ? numbers.reverse() : numbers) {
                digests.put(name(number), OLD, contentOf(`${number} ${version}`))
                model.set(name(number), contentOf(`${number} ${version}`))
              }
            }
            digests.flush()
            digests[Symbol.dispose]()
          }
        }
        using found = openFileDigests(root, id)
        for (let number = 0; number < 10_000; number++) {
          assert.deepEqual(found.get(name(number), OLD), model.get(name(number)))
        }
      }),
      { numRuns: 8 },
    )
  })

  it('are kept by a build of many steps', () => {
    /** Whether each of 24 steps with a file of its own knew that file already. */
    const build = (version: number): boolean[] =>
      Array.from({ length: 24 }, (_, step) => {
        using digests = openFileDigests(root, 'tree')
        const file = nameOf(`step-${step}`)
        const isKnown = digests.get(file, OLD) !== undefined
        if (!isKnown) digests.put(file, OLD, content)
        digests.put(nameOf(`new-${step}`), OLD, contentOf(`${version}`))
        digests.flush()
        return isKnown
      })
    assert.deepEqual(new Set(build(1)), new Set([false]))
    assert.deepEqual(new Set(build(2)), new Set([true]))
  })

  it('leave nothing in the folder but their file, whichever process is killed', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => nameOf(`file-${i}`))
    const killed = open('tree')
    for (const path of many) killed.put(path, OLD, content)
    assert.deepEqual(readdirSync(join(root, 'digests')), [])
    killed.flush()
    const [file = ''] = readdirSync(join(root, 'digests'))
    // Killed while it was writing, and between making the file without a name and removing the name.
    const left = join(root, 'digests', `${file}.new`)
    writeFileSync(left, 'half')
    writeFileSync(join(root, 'digests', `${file}.spill`), '')
    const impatient = open('tree')
    for (const path of many) impatient.put(nameOf(`more/${path}`), OLD, content)
    impatient.flush()
    assert.equal(readFileSync(left, 'utf8'), 'half')
    utimesSync(left, 1, 1)
    impatient.flush()
    assert.deepEqual(readdirSync(join(root, 'digests')), [file])
    const found = open('tree')
    assert.ok(many.every((path) => found.get(path, OLD) !== undefined))
    assert.ok(many.every((path) => found.get(nameOf(`more/${path}`), OLD) !== undefined))
  })

  it('that cannot be written fail once, and not again while it is cleared up', () => {
    using digests = openFileDigests(root, 'tree')
    rmSync(join(root, 'digests'), { recursive: true })
    const putMany = (): void => {
      for (let i = 0; i < 10_000; i++) digests.put(nameOf(`file-${i}`), OLD, content)
    }
    assert.throws(putMany, { code: 'IO_FAILED' })
    digests.flush()
  })

  it('of 20,000 files are stored and looked up in the order of a walk quickly', () => {
    const paths = Array.from({ length: 20_000 }, (_, i) =>
      nameOf(`src/part-${100 + Math.floor(i / 200)}/file-${100_000 + i}.ts`),
    )
    const first = open('tree')
    for (const path of paths) first.put(path, OLD, content)
    const started = process.threadCpuUsage()
    first.flush()
    const stored = processorTime(started)
    const flushed = process.threadCpuUsage()
    const second = open('tree')
    assert.equal(
      paths.every((path) => second.get(path, OLD)?.digest === content.digest),
      true,
    )
    const found = processorTime(flushed)
    // Ten times what a quiet machine needs: this guards against the wrong order of growth.
    assert.ok(stored < 1000 && found < 400, `${stored}, ${found}`)
  })
})

/** Milliseconds of this thread since then; on a busy machine it waits for a processor besides. */
function processorTime(since: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(since)
  return (user + system) / 1000
}
