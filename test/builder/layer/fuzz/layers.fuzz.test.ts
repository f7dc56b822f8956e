import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { applyLayer, stackTree } from '#builder/layer'
import { type TemporaryDirectory, temporaryDirectory } from '../../../support/peers/index.ts'
import { fuzz, orTypedLater } from '../../../support/random/index.ts'
import { header, padded, pax, tar } from '../../../support/raw-tar/index.ts'
import { fingerprint } from '../support/files.ts'
import { outline } from '../support/listing.ts'

/** An entry: type flag, name, link. `OUT` stands for a folder of the host beside the layer. */
type Entry = readonly [type: string, name: string, link: string]
/** From the bottom up. */
type Layers = readonly (readonly Entry[])[]

const NAMES = [
  'a',
  'b',
  'a/b',
  'b/a',
  'a/b/c',
  'a/secret',
  'b/secret',
  '.',
  '',
  'a/../b',
  '/a',
  './b',
]
const MARKS = ['.wh.a', 'a/.wh.b', 'a/.wh..wh..opq', '.wh..wh..opq', 'a/.wh.secret', 'b/.wh..']
const OUTSIDE = ['..', '../x', 'a/../../x', '../OUT/secret', 'OUT/secret']
const LINKS = [
  '',
  'a',
  'b',
  '.',
  '..',
  '/',
  '/a/b',
  'OUT',
  'OUT/secret',
  '../../../../..',
  'a/b/..',
]
const TYPES = ['0', '1', '2', '3', '5', '6']

const entry: fc.Arbitrary<Entry> = fc.tuple(
  fc.constantFrom(...TYPES),
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...NAMES) },
    { weight: 2, arbitrary: fc.constantFrom(...MARKS) },
    { weight: 1, arbitrary: fc.constantFrom(...OUTSIDE) },
  ),
  fc.constantFrom(...LINKS),
)
const layers: fc.Arbitrary<Layers> = fc.array(fc.array(entry, { minLength: 1, maxLength: 8 }), {
  minLength: 1,
  maxLength: 3,
})

describe('fuzz: layers', () => {
  let place: TemporaryDirectory
  let outside: string
  before(() => {
    place = temporaryDirectory('fuzz-layers')
    outside = place.file('outside')
    mkdirSync(outside)
    writeFileSync(`${outside}/secret`, 'SECRET', { mode: 0o600 })
    symlinkSync('secret', `${outside}/link`)
  })
  after(() => place[Symbol.dispose]())

  fuzz('F6: touch and show nothing outside of their folders', {
    name: 'layers',
    inputs: layers,
    check: async (stack) => {
      const untouched = fingerprint(outside)
      const lowers: string[] = []
      try {
        for (const [index, entries] of stack.entries()) {
          const target = place.file(`layer-${index}`)
          const bytes = tar(...entries.map((one) => encoded(one, outside)))
          const applied = await orTypedLater(['LAYER_INVALID'], () =>
            applyLayer(whole(bytes), target, { lowers }),
          )
          if (applied !== undefined) lowers.unshift(target)
        }
        assert.ok(!shown(lowers).some((line) => line.includes('SECRET')))
      } finally {
        for (const index of stack.keys()) {
          rmSync(place.file(`layer-${index}`), { recursive: true, force: true })
        }
      }
      assert.equal(fingerprint(outside), untouched)
    },
  })
})

function encoded([type, name, link]: Entry, outside: string): Buffer {
  const content = type === '0' ? 'x' : ''
  const [path, linkpath] = [name, link].map((text) => text.replace('OUT', outside))
  const fields = { name: 'short', type, size: content.length, mode: 0o4777 }
  const records = pax({ path: path || '.', ...(linkpath ? { linkpath } : {}) })
  return Buffer.concat([records, header(fields), padded(content)])
}

function shown(lowers: readonly string[]): readonly string[] {
  if (lowers.length === 0) return []
  const tree = stackTree(lowers)
  try {
    return outline(tree)
  } finally {
    tree.close()
  }
}

async function* whole(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}
