import assert from 'node:assert/strict'
import { type Stats, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import type { Name } from '#core'
import { LeftOut } from '../../../builder/tree/left-out.ts'

const DEPTH = 6000

describe('a folder that is left out of a tree', () => {
  const folder = tmpdir()
  const itself = statSync(folder)
  const other: Stats = statSync('/')

  it('holds itself and what lies in it, in any order of queries', () => {
    const leftOut = LeftOut.folder(folder)
    const look = (path: Name): Stats => (path === 'a/store' ? itself : other)
    const paths = ['a/store/x/y', 'a', 'a/store', 'a/b', 'a/store/x', '', 'a/storey', 'a/store/x/z']
    assert.deepEqual(
      paths.map((path) => leftOut?.holds(path as Name, look)),
      [true, false, true, false, true, false, false, true],
    )
  })

  it('looks at each folder of a deep tree once', function () {
    this.timeout(10_000)
    const leftOut = LeftOut.folder(folder)
    let looks = 0
    const look = (): Stats => {
      looks++
      return other
    }
    let path = 'a'
    for (let depth = 0; depth < DEPTH; depth++) {
      assert.equal(leftOut?.holds(path as Name, look), false)
      path += '/a'
    }
    assert.equal(looks, DEPTH)
  })
})
