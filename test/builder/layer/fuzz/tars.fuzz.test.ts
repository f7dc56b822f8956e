import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { type TarHandler, TarReader } from '#builder/layer'
import { fuzz } from '../../../support/random/index.ts'
import { changedTars } from './changed-tars.ts'

/** Entries in their order, then the error if there is one. */
type Reading = readonly string[]

/** Writes down what a reader finds. */
class Notes implements TarHandler {
  readonly lines: string[] = []
  #content = ''

  entry(entry: Parameters<TarHandler['entry']>[0]): void {
    const xattrs = [...entry.xattrs].map(([key, value]) => `${key}=${value.toString('latin1')}`)
    this.lines.push(JSON.stringify({ ...entry, xattrs }))
    this.#content = ''
  }

  content(bytes: Buffer): void {
    this.#content += bytes.toString('latin1')
  }

  hole(length: number): void {
    this.#content += `(hole ${length})`
  }

  end(): void {
    this.lines.push(this.#content)
  }
}

/** Reads a tar in pieces of the sizes, which come again and again. */
function read(tar: Buffer, sizes: readonly number[]): Reading {
  const notes = new Notes()
  const reader = new TarReader(notes)
  try {
    for (let at = 0, piece = 0; at < tar.length; piece++) {
      const size = sizes[piece % sizes.length] ?? 1
      reader.write(tar.subarray(at, at + size))
      at += size
    }
    reader.end()
    return notes.lines
  } catch (cause) {
    assert.ok(cause instanceof Error && !(cause instanceof TypeError), String(cause))
    return [...notes.lines, cause.message]
  }
}

const inputs = fc.record({
  tar: changedTars,
  sizes: fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 5 }),
})

describe('fuzz: tars', () => {
  fuzz('F4: hold the same entries in whatever pieces they come', {
    name: 'tars',
    inputs,
    check: ({ tar, sizes }) => {
      const bytes = Buffer.from(tar, 'latin1')
      const whole = read(bytes, [bytes.length])
      // Content that is cut short was given piece by piece: only the entries can be compared then.
      assert.deepEqual(read(bytes, sizes), whole)
    },
  })
})
