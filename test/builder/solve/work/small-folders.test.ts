import assert from 'node:assert/strict'
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { areSmallFolders } from '../../../../builder/solve/work/limits/small-folders.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../../support/peers/index.ts'

describe('whether folders are small', () => {
  let directory: TemporaryDirectory
  beforeEach(() => {
    directory = temporaryDirectory('small-folders')
    mkdirSync(directory.file('a/b'), { recursive: true })
    writeFileSync(directory.file('a/b/c'), 'text')
  })
  afterEach(() => directory[Symbol.dispose]())

  it('counts entries at every depth, of all folders', () => {
    const folders = [directory.file('a'), directory.file('a/b')]
    assert.equal(areSmallFolders(folders, { looks: 3, bytes: 8 }), true)
    assert.equal(areSmallFolders(folders, { looks: 2, bytes: 8 }), false)
  })

  it('counts bytes of files', () => {
    truncateSync(directory.file('a/b/c'), 2 ** 33)
    assert.equal(areSmallFolders([directory.file('a')], { looks: 9, bytes: 2 ** 32 }), false)
    assert.equal(areSmallFolders([directory.file('a')], { looks: 9, bytes: 2 ** 33 }), true)
  })

  it('is false for what is not there', () => {
    assert.equal(areSmallFolders([directory.file('none')], { looks: 9, bytes: 9 }), false)
  })
})
