import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { checksum, checksumWithin } from '../../../../builder/solve/work/tasks/checksum.ts'
import type { FilesTask } from '../../../../builder/solve/work/tasks/trees.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../../support/peers/index.ts'

const FILES = 3000
const NO_LIMIT = { looks: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY }

describe('the digest of many files in a thread with other duties', () => {
  let directory: TemporaryDirectory
  let task: FilesTask
  before(() => {
    directory = temporaryDirectory('checksum')
    const tree = directory.file('context/tree')
    mkdirSync(tree, { recursive: true })
    for (let index = 0; index < FILES; index += 1) writeFileSync(`${tree}/${index}`, `${index}`)
    mkdirSync(directory.file('store/digests'), { recursive: true })
    const copy = {
      kind: 'copy',
      source: 0,
      paths: ['tree'],
      destination: '/',
      exclude: [],
    } as const
    task = {
      actions: [{ ...copy, parents: false, unpack: 'never', wildcards: true }],
      root: { kind: 'layers', lowers: [] },
      sources: [{ kind: 'context', directory: directory.file('context'), ignore: '' }],
      store: directory.file('store'),
    }
  })
  after(() => directory[Symbol.dispose]())

  it('is that of a thread without any, and lets others have their turn', async () => {
    let turns = 0
    let timer = setImmediate(function count() {
      turns += 1
      timer = setImmediate(count)
    })
    try {
      assert.equal(await checksumWithin(task, NO_LIMIT), checksum(task))
    } finally {
      clearImmediate(timer)
    }
    // So many files are not read within one slice of time.
    assert.ok(turns >= 2, `${turns}`)
  })

  it('is none beyond a limit', async () => {
    assert.equal(await checksumWithin(task, { ...NO_LIMIT, looks: FILES }), undefined)
    assert.equal(await checksumWithin(task, { ...NO_LIMIT, bytes: FILES }), undefined)
  })
})
