import assert from 'node:assert/strict'
import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import type { FilesTask } from '../../../../builder/solve/work/selection/trees.ts'
import { checksum, checksumWithin } from '../../../../builder/solve/work/tasks/checksum.ts'
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
    // Where making the files took seconds, digests of them are known.
    const sources = task.sources.map((source) => ({ ...source, transient: true }))
    const unknown: FilesTask = { ...task, sources }
    assert.equal(await checksumWithin(unknown, { ...NO_LIMIT, looks: FILES }), undefined)
    assert.equal(await checksumWithin(unknown, { ...NO_LIMIT, bytes: FILES }), undefined)
  })
})

describe('the digest of files of which nothing has changed', function () {
  this.timeout(30_000)
  let directory: TemporaryDirectory
  before(async () => {
    directory = temporaryDirectory('unchanged')
    mkdirSync(directory.file('context/tree/sub'), { recursive: true })
    for (let index = 0; index < FILES; index += 1) writeFileSync(at(`${index}`), `${index}`)
    writeFileSync(at('sub/file'), 'in a folder')
    symlinkSync('1', at('link'))
    mkdirSync(directory.file('store/digests'), { recursive: true })
    // Nothing is remembered of what is younger than two seconds.
    await setTimeout(2100)
  })
  after(() => directory[Symbol.dispose]())

  function at(path: string): string {
    return directory.file(`context/tree/${path}`)
  }

  function taskOf({ transient = false, paths = ['tree'], ignore = '' } = {}): FilesTask {
    const copy = { kind: 'copy', source: 0, paths, destination: '/', exclude: [] } as const
    return {
      actions: [{ ...copy, parents: false, unpack: 'never', wildcards: true }],
      root: { kind: 'layers', lowers: [] },
      sources: [{ kind: 'context', directory: directory.file('context'), ignore, transient }],
      store: directory.file('store'),
    }
  }

  function digestsFile(): string {
    const [name = '', ...more] = readdirSync(directory.file('store/digests'))
    assert.deepEqual(more, [])
    return directory.file(`store/digests/${name}`)
  }

  it('is known without looking up any of them', async () => {
    const digest = checksum(taskOf())
    assert.equal(digest, checksum(taskOf({ transient: true })))
    assert.equal(checksum(taskOf()), digest)
    // Without them a file that is looked up is read, and its digest stored again.
    const damaged = openSync(digestsFile(), 'r+')
    for (let offset = 0; offset < 200_000; offset += 4096) writeSync(damaged, 'damage', offset)
    closeSync(damaged)
    const { ino, mtimeMs } = lstatSync(digestsFile())
    assert.equal(await checksumWithin(taskOf(), NO_LIMIT), digest)
    assert.equal(lstatSync(digestsFile()).ino, ino)
    assert.equal(lstatSync(digestsFile()).mtimeMs, mtimeMs)
    // What is selected in another way is another thing.
    for (const other of [{ paths: ['tree', 'tree/sub'] }, { ignore: 'tree/1*' }]) {
      assert.equal(checksum(taskOf(other)), checksum(taskOf({ ...other, transient: true })))
      assert.notEqual(checksum(taskOf(other)), digest)
    }
    assert.notEqual(lstatSync(digestsFile()).mtimeMs, mtimeMs)
    assert.equal(checksum(taskOf()), digest)
  })

  it('is not taken for that of files that have changed', () => {
    const seen = new Set([checksum(taskOf())])
    const changes: readonly (() => void)[] = [
      () => {
        const { atime, mtime } = lstatSync(at('7'))
        writeFileSync(at('7'), '8')
        utimesSync(at('7'), atime, mtime)
      },
      () => chmodSync(at('100'), 0o755),
      () => renameSync(at('200'), at('renamed')),
      () => rmSync(at('300')),
      () => writeFileSync(at('sub/new'), 'new'),
      () => {
        rmSync(at('link'))
        symlinkSync('2', at('link'))
      },
    ]
    for (const change of changes) {
      change()
      const digest = checksum(taskOf())
      assert.equal(digest, checksum(taskOf({ transient: true })), change.toString())
      seen.add(digest)
    }
    assert.equal(seen.size, changes.length + 1)
  })
})
