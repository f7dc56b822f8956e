import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { applyLayer, isSelfContained, StackTree, stackTree, writeLayer } from '#builder/layer'
import { setXattr } from '#builder/linux'
import { type Name, TsbuildError } from '#core'
import { header, padded } from '../../../support/raw-tar/index.ts'
import { chunked, isRoot, temporary } from '../support/files.ts'
import { treeListing } from '../support/listing.ts'
import { changesIn, randomTree } from '../support/random-changes.ts'

const END = Buffer.alloc(1024)
/** Spec: capability.h, vfs_cap_data of revision 2, effective */
const CAP_NET_RAW = Buffer.from('0100000200200000000000000000000000000000', 'hex')
const directory = (name: string): Buffer => header({ name, type: '5', mode: 0o755 })
const file = (name: string): Buffer => Buffer.concat([header({ name, size: 1 }), padded('x')])

describe('tars of layers as trees', () => {
  const files = temporary()

  function tarOf(...entries: readonly Buffer[]): string {
    const tar = files.fresh()
    writeFileSync(tar, Buffer.concat([...entries, END]))
    return tar
  }

  it('show what their directories show, in any stack', async function () {
    if (!isRoot) this.skip()
    this.timeout(60_000)
    let most = 0
    const stack = fc.array(fc.tuple(randomTree, fc.boolean()), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(stack, async (layers) => {
        const directories: string[] = []
        const tars: string[] = []
        for (const [nodes, isDirectory] of layers) {
          const [tar, applied] = [files.fresh(), files.fresh()]
          writeLayer(changesIn(nodes), { tar })
          await applyLayer(chunked(readFileSync(tar)), applied, { lowers: directories })
          assert(isSelfContained(tar))
          directories.unshift(applied)
          tars.unshift(isDirectory ? applied : tar)
        }
        const [one, other] = [new StackTree(directories), new StackTree(tars)]
        try {
          const shown = treeListing(one)
          most = Math.max(most, shown.length)
          assert.deepEqual(treeListing(other), shown)
        } finally {
          one.close()
          other.close()
        }
      }),
      { numRuns: 80 },
    )
    assert(most > 8)
  })

  it('hide what is below an opaque directory', () => {
    const below = tarOf(directory('d/'), file('d/below'), file('other'))
    const above = tarOf(directory('d/'), file('d/.wh..wh..opq'), file('d/above'))
    assert.deepEqual(namesIn([above, below], 'd'), ['above'])
    assert.deepEqual(namesIn([above, below], ''), ['d', 'other'])
  })

  it('give large and small contents, whatever lies before them', () => {
    const tree = files.fresh()
    mkdirSync(tree)
    const contents = [0, 1, 511, 512, 70_000, 300_000, 2_000_000].map((size) =>
      Buffer.alloc(size, size % 251),
    )
    for (const [index, content] of contents.entries())
      writeFileSync(join(tree, `${index}`), content)
    const tar = files.fresh()
    execFileSync('tar', ['-cf', tar, '-C', tree, '.'])
    const shown = stackTree([tar])
    for (const [index, content] of contents.entries()) {
      const descriptor = shown.openFile(`${index}` as Name)
      assert(readFileSync(descriptor).equals(content))
      closeSync(descriptor)
      const target = openSync(files.path, 'r')
      const name = `copy-${index}` as Name
      new StackTree([tar])
        .find(`${index}` as Name)
        ?.layer.copyFile(`${index}` as Name, { directory: target, name }, { owners: 'drop' })
      closeSync(target)
      assert(readFileSync(join(files.path, name)).equals(content))
    }
    shown.close()
  })

  it('have the attributes that a container sees, and of those the ones that a layer keeps', function () {
    if (!isRoot) this.skip()
    const tree = files.fresh()
    mkdirSync(tree)
    writeFileSync(join(tree, 'f'), '')
    setXattr(join(tree, 'f'), 'user.note', Buffer.from('x'))
    setXattr(join(tree, 'f'), 'security.capability', CAP_NET_RAW)
    const tar = files.fresh()
    execFileSync('tar', ['--xattrs', '--xattrs-include=*', '-cf', tar, '-C', tree, '.'])
    const shown = new StackTree([tar])
    assert.deepEqual([...shown.allXattrs('f' as Name).keys()].sort(), [
      'security.capability',
      'user.note',
    ])
    assert.deepEqual([...shown.xattrs('f' as Name).keys()], ['security.capability'])
    shown.close()
  })

  describe('are not used where the order of entries or what is below decides:', () => {
    const cases: Readonly<Record<string, readonly Buffer[]>> = {
      'a name that is there twice': [file('f'), file('f')],
      'a directory that is there twice': [directory('d/'), directory('d')],
      'a parent without an entry': [file('d/f')],
      'a deletion in a directory without an entry': [file('d/.wh.f')],
      'a deletion of what the layer has': [file('f'), file('.wh.f')],
      'a file in the place of a deletion': [file('.wh.f'), file('f')],
      'a root that hides what is below': [file('.wh..wh..opq')],
      'a hard link to a file below': [header({ name: 'l', type: '1', link: 'below' })],
      'a hard link to a later file': [header({ name: 'l', type: '1', link: 'f' }), file('f')],
      'a path through a link': [
        directory('d/'),
        header({ name: 'l', type: '2', link: 'd' }),
        file('l/f'),
      ],
    }
    for (const [name, entries] of Object.entries(cases)) {
      it(name, () => {
        const tar = tarOf(...entries)
        assert.equal(isSelfContained(tar), false)
        assert.throws(() => stackTree([tar]), /not self-contained/)
      })
    }

    it('a file with holes', () => {
      const tree = files.fresh()
      mkdirSync(tree)
      writeFileSync(join(tree, 'holes'), '')
      truncateSync(join(tree, 'holes'), 1 << 20)
      for (const format of ['gnu', 'pax']) {
        const tar = files.fresh()
        execFileSync('tar', ['-S', `--format=${format}`, '-cf', tar, '-C', tree, '.'])
        assert.equal(isSelfContained(tar), false)
      }
    })
  })

  describe('are refused as their layers are:', () => {
    const cases: Readonly<Record<string, Buffer>> = {
      'a name that leads out': file('../f'),
      'a device 0:0': header({ name: 'd', type: '3' }),
      'an owner out of range': header({ name: 'f', raw: { 108: '\x80\0\0\0\xff\xff\xff\xff' } }),
      'a root that is a link': header({ name: './', type: '2', link: '/' }),
    }
    for (const [name, entry] of Object.entries(cases)) {
      it(name, async () => {
        const tar = tarOf(entry)
        const isInvalid = (cause: unknown): boolean =>
          cause instanceof TsbuildError && cause.code === 'LAYER_INVALID'
        assert.throws(() => isSelfContained(tar), isInvalid)
        await assert.rejects(applyLayer(chunked(readFileSync(tar)), files.fresh()), isInvalid)
      })
    }
  })
})

function namesIn(layers: readonly string[], path: string): readonly string[] {
  const tree = stackTree(layers)
  try {
    return tree.readdir(path as Name)
  } finally {
    tree.close()
  }
}
