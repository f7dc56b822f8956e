import { Buffer } from 'node:buffer'
import fc from 'fast-check'

/** Values at which readers of numbers, lengths and text go wrong. */
const ODD_BYTES = [0, 1, 9, 10, 13, 32, 34, 47, 48, 55, 92, 127, 128, 255]
/** No input becomes longer. */
const LONGEST = 64 * 1024

/** One change of bytes: `kind` decides what is done at `place` with `value`. */
type Edit = readonly [kind: number, place: number, value: number]

const edit: fc.Arbitrary<Edit> = fc.tuple(
  fc.nat(4),
  fc.nat(LONGEST),
  fc.oneof(fc.constantFrom(...ODD_BYTES), fc.nat(255)),
)

/**
 * What a byte string becomes by few changes of bytes: replaced, inserted, removed, doubled, moved to the
 * end. Strings have a byte a character (latin1).
 */
export function havoc(seeds: fc.Arbitrary<string>, maxEdits = 6): fc.Arbitrary<string> {
  return fc.tuple(seeds, fc.array(edit, { maxLength: maxEdits })).map(([seed, edits]) => {
    let bytes: Buffer = Buffer.from(seed, 'latin1')
    for (const one of edits) bytes = changed(bytes, one)
    return bytes.toString('latin1')
  })
}

function changed(bytes: Buffer, [kind, place, value]: Edit): Buffer {
  const at = place % (bytes.length + 1)
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
  const some = after.subarray(0, value + 1)
  const joined = {
    0: [before, Buffer.of(value), after.subarray(1)],
    1: [before, Buffer.of(value), after],
    2: [before, after.subarray(some.length)],
    3: [before, some, after],
    4: [before, after.subarray(some.length), some],
  }[kind]
  return Buffer.concat(joined ?? [bytes]).subarray(0, LONGEST)
}

/** The same of text in UTF-8. */
export function textHavoc(seeds: readonly string[], maxEdits?: number): fc.Arbitrary<string> {
  const latin1 = seeds.map((seed) => Buffer.from(seed).toString('latin1'))
  return havoc(fc.constantFrom(...latin1), maxEdits).map((bytes) =>
    Buffer.from(bytes, 'latin1').toString(),
  )
}
