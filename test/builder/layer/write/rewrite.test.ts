import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import {
  assembleTar,
  omitUnchanged,
  rawTree,
  rewriteLayer,
  stackTree,
  treeChanges,
  writeLayer,
} from '#builder/layer'
import type { Change, Digest, Name, Tree } from '#core'
import { TarContents } from '../../../../builder/layer/contents/tar-contents.ts'
import { flipBit } from '../../../support/peers/index.ts'
import { isRoot, overlayListing, temporary } from '../support/files.ts'
import { randomFrom, randomScript } from '../support/random-script.ts'

const RUNS = Number(process.env.REWRITE_RUNS ?? 8)

/** So many that what is where in the tar is noted. */
const FILES = 500

interface Written {
  readonly tar: string
  readonly directory: string
  readonly contents: string
}

/** Their chunks may end elsewhere. */
function entriesOf(contents: string): readonly object[] {
  using opened = TarContents.open(contents)
  if (opened === undefined) throw new Error(`${contents} is damaged`)
  return [...opened.entries()]
}

describe('rewriting a layer', () => {
  const files = temporary()

  before(function () {
    if (!isRoot) this.skip()
  })

  /** A tree with many files, on which scripts work. */
  function makeTree(script: string): string {
    const path = files.fresh()
    mkdirSync(join(path, 'many'), { recursive: true })
    for (let index = 0; index < FILES; index++) {
      writeFileSync(join(path, 'many', `f${index}`), `${index}\n`.repeat(index % 50))
    }
    change(path, script)
    return path
  }

  function change(path: string, script: string): void {
    execFileSync('bash', ['-c', script], { cwd: path })
  }

  /** What a copy of a tree on a stack is, with digests that are known as if the files were looked up. */
  function* copyOf(tree: Tree, below: Tree): Generator<Change> {
    const changes = omitUnchanged(treeChanges(tree), below, () => undefined)
    for (const one of changes) {
      const isFile = one.kind === 'entry' && one.open !== undefined
      yield isFile ? { ...one, knownDigest: () => digestOf(tree, one.path) } : one
    }
  }

  function digestOf(tree: Tree, path: Name): Digest {
    const fd = tree.openFile(path)
    try {
      return `sha256:${createHash('sha256').update(readFileSync(fd)).digest('hex')}` as Digest
    } finally {
      closeSync(fd)
    }
  }

  function write(source: string, lowers: readonly string[]): Written {
    const [tar, directory, contents] = [files.fresh(), files.fresh(), files.fresh()]
    const [tree, below] = [rawTree(source), stackTree(lowers)]
    const written = writeLayer(copyOf(tree, below), { tar, directory, contents })
    assert.equal(written.hasContents, true)
    for (const one of [tree, below]) one.close()
    return { tar, directory, contents }
  }

  interface Rewriting {
    readonly source: string
    readonly lowers: readonly string[]
    readonly previous: Written
    readonly wants: { readonly tar: boolean; readonly directory: boolean }
  }

  function rewrite({ source, lowers, previous, wants }: Rewriting) {
    const [tar, directory, pieces, contents] = Array.from({ length: 4 }, () => files.fresh())
    if (!tar || !directory || !pieces || !contents) throw new Error('four names')
    const [tree, below] = [rawTree(source), stackTree(lowers)]
    const digests = new Map<string, Digest>()
    const made = rewriteLayer(
      copyOf(tree, below),
      { ...(wants.tar ? { pieces, contents } : {}), ...(wants.directory ? { directory } : {}) },
      {
        previous: previous.contents,
        isBelow: (path) => below.lstat(path) !== undefined,
        onFile: (path, digest) => void digests.set(path, digest),
      },
    )
    for (const [path, digest] of digests) assert.equal(digest, digestOf(tree, path as Name), path)
    for (const one of [tree, below]) one.close()
    const { recipe } = made ?? {}
    if (recipe === undefined) return made && { tar, directory, contents: undefined }
    const parts = { recipe, previous, pieces, contents, tar, reader: undefined }
    const { hasContents } = assembleTar(parts)
    return { tar, directory, contents: hasContents === true ? contents : undefined }
  }

  it('gives the tar and the view of a layer that is written anew', () => {
    let [said, unsaid] = [0, 0]
    for (let seed = 1; seed <= RUNS; seed++) {
      const random = randomFrom(seed * 7919)
      const lowers = [makeTree('rm -rf many; mkdir -p a b c; echo below > a/below')]
      const source = makeTree(randomScript(random, 12))
      const previous = write(source, lowers)
      change(source, randomScript(random, 1 + (seed % 4)))
      change(source, `echo ${seed} > many/f7; rm many/f9; mkdir many/g; echo new > many/g/f`)
      const anew = write(source, lowers)
      const tarAlone = rewrite({ source, lowers, previous, wants: { tar: true, directory: false } })
      assert.ok(tarAlone !== undefined, 'a tar can always be rewritten')
      assert.deepEqual(readFileSync(tarAlone.tar), readFileSync(anew.tar), `seed ${seed}`)
      // From which the next one can be made.
      assert.ok(tarAlone.contents !== undefined)
      assert.deepEqual(entriesOf(tarAlone.contents), entriesOf(anew.contents), `seed ${seed}`)
      const next = { ...tarAlone, contents: tarAlone.contents }
      const wants = { tar: true, directory: false }
      const same = rewrite({ source, lowers, previous: next, wants })
      assert.deepEqual(readFileSync(same?.tar ?? ''), readFileSync(anew.tar), `seed ${seed}`)
      const expected = overlayListing([anew.directory, ...lowers])
      for (const tar of [true, false]) {
        const made = rewrite({ source, lowers, previous, wants: { tar, directory: true } })
        if (made === undefined) {
          unsaid++
          continue
        }
        said++
        if (tar) assert.deepEqual(readFileSync(made.tar), readFileSync(anew.tar), `seed ${seed}`)
        const shown = overlayListing([made.directory, previous.directory, ...lowers])
        assert.deepEqual(shown, expected, `seed ${seed}`)
      }
    }
    assert.ok(said > 0 && unsaid > 0, `${said} said, ${unsaid} not`)
  })

  it('reads only what changed, and writes only that into the directory', () => {
    const source = makeTree('')
    const previous = write(source, [])
    writeFileSync(join(source, 'many/f3'), 'other')
    const opened: string[] = []
    const [tree, directory, pieces] = [rawTree(source), files.fresh(), files.fresh()]
    const watched: Tree = {
      lstat: (path) => tree.lstat(path),
      readdir: (path) => tree.readdir(path),
      readlink: (path) => tree.readlink(path),
      xattrs: (path) => tree.xattrs(path),
      close: () => tree.close(),
      openFile: (path) => {
        opened.push(path)
        return tree.openFile(path)
      },
    }
    const known = new Map(
      [...treeChanges(tree)].flatMap((one) =>
        one.kind === 'entry' && one.stat.type === 'file' && one.path !== 'many/f3'
          ? [[one.path, digestOf(tree, one.path)] as const]
          : [],
      ),
    )
    const changes = [...treeChanges(watched)].map((one) => ({
      ...one,
      knownDigest: () => known.get(one.path),
    }))
    const made = rewriteLayer(
      changes,
      { pieces, directory },
      { previous: previous.contents, isBelow: () => false },
    )
    watched.close()
    assert.deepEqual(opened, ['many/f3'])
    const froms = made?.recipe?.parts.map(({ from }) => from)
    assert.deepEqual(froms, ['earlier', 'pieces', 'earlier'])
    const found = execFileSync('find', [directory, '-type', 'f'], { encoding: 'utf8' })
    assert.equal(found, `${join(directory, 'many/f3')}\n`)
  })

  it('says no deletion that would hide what lies below', () => {
    const lowers = [makeTree('rm many/*; echo below > many/f1')]
    const source = makeTree('echo upper > many/f1; echo upper > many/only')
    const previous = write(source, lowers)
    const wants = { tar: true, directory: true }
    change(source, 'rm many/only')
    assert.ok(rewrite({ source, lowers, previous, wants }) !== undefined, 'nothing lies below')
    change(source, 'rm many/f1')
    assert.equal(rewrite({ source, lowers, previous, wants }), undefined)
  })

  it('is not on top of a layer that it has little in common with', () => {
    const source = makeTree('echo kept > kept')
    const previous = write(source, [])
    const wants = { tar: true, directory: true }
    change(source, 'for i in 1 2 3 4 5 6 7 8 9 10; do echo $i > new$i; done')
    assert.ok(rewrite({ source, lowers: [], previous, wants }) !== undefined)
    change(source, 'rm -r many')
    assert.equal(rewrite({ source, lowers: [], previous, wants }), undefined)
  })

  it('takes nothing from a layer that deletes', () => {
    const source = makeTree('')
    const [tar, contents] = [files.fresh(), files.fresh()]
    const tree = rawTree(source)
    const whiteout: Change = { kind: 'whiteout', path: 'zzz' as Name }
    const written = writeLayer([...treeChanges(tree), whiteout], { tar, contents })
    tree.close()
    assert.equal(written.hasContents, undefined)
  })

  const damages: Readonly<Record<string, (path: string) => void>> = {
    'one flipped bit': (path) => flipBit(path, Math.floor(statSync(path).size / 2)),
    'a truncation': (path) => truncateSync(path, Math.floor(statSync(path).size / 2)),
  }

  for (const [name, damage] of Object.entries(damages)) {
    it(`does not take over a tar with ${name}`, () => {
      const source = makeTree('')
      const previous = write(source, [])
      const wants = { tar: true, directory: false }
      assert.ok(rewrite({ source, lowers: [], previous, wants }) !== undefined)
      damage(previous.tar)
      assert.throws(() => rewrite({ source, lowers: [], previous, wants }), {
        code: 'DIGEST_MISMATCH',
      })
    })

    it(`makes nothing of contents with ${name}`, () => {
      const source = makeTree('')
      const previous = write(source, [])
      const contents = files.fresh()
      copyFileSync(previous.contents, contents)
      damage(contents)
      const damaged = { ...previous, contents }
      const wants = { tar: true, directory: false }
      assert.equal(rewrite({ source, lowers: [], previous: damaged, wants }), undefined)
      assert.ok(rewrite({ source, lowers: [], previous, wants }) !== undefined)
    })
  }
})
