import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type DiffId, digestOf, makeStopFlag, setStopFlag } from '#core'
import { unpackLayer } from '../../../../builder/solve/work/tasks/unpack-layer.ts'
import { header } from '../../../support/raw-tar/index.ts'

const FILES = 1500

/** A layer that is small, and has many files. */
describe('a small layer that is unpacked on the main thread', () => {
  const tar = Buffer.concat([
    ...Array.from({ length: FILES }, (_, n) => header({ name: `f${n}` })),
    Buffer.alloc(1024),
  ])
  const chunks = [gzipSync(tar)]
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tsbuild-small-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  const unpack = (stop = makeStopFlag()) =>
    unpackLayer({
      source: { kind: 'memory', compression: 'gzip', chunks, stop },
      diffId: digestOf(tar) as string as DiffId,
      directory: join(directory, 'layer'),
      lowers: undefined,
    })

  it('leaves others their turns', async () => {
    let turns = 0
    const count = (): void => {
      turns += 1
      timer = setImmediate(count)
    }
    let timer = setImmediate(count)
    await unpack()
    clearImmediate(timer)
    assert.ok(turns >= tar.length / (64 << 10), `${turns}`)
  })

  it('ends when it is stopped', async () => {
    const stop = makeStopFlag()
    setImmediate(() => setStopFlag(stop))
    await assert.rejects(unpack(stop), { code: 'CANCELLED' })
  })
})
