import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { tarWriter } from '../../../../builder/export/archive/archive-writer.ts'

/** Takes so many pieces, and is full then. */
function fullAfter(pieces: number): Writable {
  let count = 0
  const full = Object.assign(new Error('full'), { code: 'ENOSPC' })
  const sink = new Writable({ write: (_, __, done) => done(count++ < pieces ? null : full) })
  return sink.on('error', () => undefined)
}

async function write(dest: string | Writable, { turns, size }: { turns: number; size: number }) {
  await using writer = await tarWriter(dest)
  for (let at = 0; at < 60; at++) {
    await writer.document(`f${at}`, Buffer.alloc(size))
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
    await writer.stream(`s${at}`, size, piecesOf(size, turns))
  }
  await writer.finish()
}

async function* piecesOf(size: number, turns: number): AsyncGenerator<Uint8Array> {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve()
  yield Buffer.alloc(size)
}

describe('an archive on a full disk', () => {
  for (let turns = 0; turns < 12; turns++) {
    it(`says so, however late that shows: ${turns}`, async () => {
      await assert.rejects(write('/dev/full', { turns, size: 100_000 }), { code: 'NO_SPACE' })
      for (let pieces = 0; pieces < 60; pieces++) {
        const writing = write(fullAfter(pieces), { turns, size: 100 })
        await assert.rejects(writing, { code: 'NO_SPACE' }, `after ${pieces}`)
      }
    })
  }
})
