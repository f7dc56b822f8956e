import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { labelTree } from '#builder/linux'
import { makeStopFlag, setStopFlag, watchStopFlag } from '#core'
import { getXattr, setXattr } from '../../../../builder/linux/filesystem/xattr.ts'

const NAME = 'security.selinux'
const LABEL = 'system_u:object_r:container_file_t:s0:c1,c2'
const NAMES = ['', '/d', '/d/e', '/d/e/file', '/d/out', '/file']

describe('labels of a tree', () => {
  let directory: string
  let root: string
  beforeEach(function () {
    // Without SELinux the kernel lets only root set what belongs to it.
    if (process.getuid?.() !== 0) this.skip()
    directory = mkdtempSync('/tmp/tsbuild-labels-')
    root = `${directory}/root`
    mkdirSync(`${root}/d/e`, { recursive: true })
    writeFileSync(`${root}/d/e/file`, '')
    writeFileSync(`${root}/file`, '')
    writeFileSync(`${directory}/outside`, '')
    symlinkSync(`${directory}/outside`, `${root}/d/out`)
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  const labelOf = (name: string): string | undefined =>
    getXattr(`${root}${name}`, NAME)?.toString('latin1')

  it('are those of all files in it, and of nothing that a link leads to', () => {
    labelTree(root, LABEL)
    assert.deepEqual(
      NAMES.map(labelOf),
      NAMES.map(() => `${LABEL}\0`),
    )
    assert.equal(getXattr(`${directory}/outside`, NAME), undefined)
  })

  it('are set anew after a walk that was interrupted, since the top is the last', () => {
    const stop = makeStopFlag()
    setStopFlag(stop)
    watchStopFlag(stop)
    try {
      assert.throws(() => labelTree(root, LABEL), { code: 'CANCELLED' })
    } finally {
      watchStopFlag(makeStopFlag())
    }
    assert.equal(labelOf(''), undefined)
    labelTree(root, LABEL)
    assert.deepEqual(new Set(NAMES.map(labelOf)), new Set([`${LABEL}\0`]))
  })

  it('are refused by file systems that have none', () => {
    assert.throws(() => labelTree('/proc/self', LABEL), { name: 'SystemError' })
  })

  it('are not set again where the tree has them', () => {
    labelTree(root, LABEL)
    setXattr(`${root}/file`, NAME, Buffer.from('another\0'))
    labelTree(root, LABEL)
    assert.equal(labelOf('/file'), 'another\0')
    labelTree(root, `${LABEL},c3`)
    assert.equal(labelOf('/file'), `${LABEL},c3\0`)
  })
})
