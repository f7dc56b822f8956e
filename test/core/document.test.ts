import assert from 'node:assert/strict'
import fc from 'fast-check'
import { MAX_DOCUMENT_BYTES, readDocument, shapes, TsbuildError } from '#core'

const OPTIONS = { what: 'thing', code: 'CONFIG_INVALID' } as const

function read(text: string): unknown {
  return readDocument(Buffer.from(text), shapes.any, OPTIONS)
}

/** What is read, or why it is not. */
function outcome(readText: (text: string) => unknown, text: string): unknown {
  try {
    return { value: readText(text) }
  } catch (error) {
    if (error instanceof SyntaxError) return 'refused'
    if (error instanceof TsbuildError) return /twice/.test(error.message) ? 'twice' : 'refused'
    throw error
  }
}

describe('readDocument', () => {
  it('agrees with JSON.parse on documents and on what is nearly one', () => {
    const piece = fc.constantFrom(
      ...'{}[]:,"\\ \n\t0123.-+eEu\u0000tfnaé'.split(''),
      'null',
      '\\u00',
    )
    const edit = fc.record({ at: fc.nat(), cut: fc.nat({ max: 2 }), piece })
    const json = fc.json({ maxDepth: 5 })
    let taken = 0
    fc.assert(
      fc.property(json, fc.array(edit, { maxLength: 3 }), (document, edits) => {
        const text = edits.reduce((before, { at, cut, piece: added }) => {
          const place = at % (before.length + 1)
          return before.slice(0, place) + added + before.slice(place + cut)
        }, document)
        const found = outcome(read, text)
        if (found === 'twice' || /\\u[dD]/.test(text)) return
        const expected = outcome(JSON.parse, text)
        if (expected !== 'refused') taken++
        assert.deepEqual(found, expected, text)
      }),
      { numRuns: 3000 },
    )
    assert.ok(taken > 300)
  })

  it('refuses exactly those keys that Unicode folds to a field', () => {
    const name = 'os.versionKey_abcdfghjlmpqtuwxz'
    const shape = shapes.object({ [name]: shapes.any })
    const folding = new RegExp(`^${name.replace('.', '\\.')}$`, 'iu')
    // Whatever one of JavaScript's own rules turns into a letter of ASCII.
    const alike = Array.from({ length: 0x1_ffff }, (_, point) =>
      String.fromCodePoint(point),
    ).filter((one) =>
      /[a-z]/.test(`${one.toLowerCase()}${one.toUpperCase()}${one.normalize('NFKC')}`),
    )
    assert.ok(alike.length > 500)
    let refused = 0
    for (const one of alike) {
      for (let place = 0; place < name.length; place++) {
        const key = name.slice(0, place) + one + name.slice(place + 1)
        const reading = () => readDocument(Buffer.from(`{"${key}":1}`), shape, OPTIONS)
        if (key === name || !folding.test(key)) assert.ok(reading(), key)
        else {
          assert.throws(reading, { code: 'CONFIG_INVALID' }, key)
          refused++
        }
      }
    }
    // Each letter in its other case, the long s for two letters, the Kelvin sign for one.
    assert.equal(refused, name.replace(/[^a-z]/gi, '').length + 3)
  })

  it('reads half a surrogate pair as Go does, in keys too', () => {
    assert.deepEqual(read('["\\ud800x","\\ud83d\\ude00"]'), ['\ufffdx', '😀'])
    assert.throws(() => read('{"\\ud800":1,"\\udc00":2}'), { code: 'CONFIG_INVALID' })
  })

  it('reports where it goes wrong', () => {
    const { integer, list, object } = shapes
    const shape = object({ items: list(object({ size: integer })) })
    const messages: readonly (readonly [string, string])[] = [
      ['{"items":[{},{"size":"x"}]}', 'items[1].size is not a number'],
      ['{"items":[{"Size":1}]}', 'items[0].Size is another spelling of size'],
      ['{"a b":[{"x":1,"x":1}]}', '["a b"][0].x is there twice'],
      ['{"items":7}', 'items is not a list'],
      ['{"items":[]', 'it is not valid JSON at character 12'],
      ['\ufeff{}', 'it starts with a byte order mark'],
    ]
    for (const [text, message] of messages) {
      assert.throws(() => readDocument(Buffer.from(text), shape, OPTIONS), {
        message: `invalid thing: ${message}`,
      })
    }
  })

  it('quotes nothing of what is secret', () => {
    const { map, object, string } = shapes
    const shape = object({ auths: map(string) })
    const texts = [
      '{"auths":{"geheim":7}}',
      '{"auths":{"geheim":"geheim\\x"}}',
      '{"geheim":1,"geheim":1}',
    ]
    for (const text of [...texts, '{"auths":"geheim"}', 'geheim']) {
      assert.throws(
        () => readDocument(Buffer.from(text), shape, { ...OPTIONS, isSecret: true }),
        (error) => {
          assert.ok(error instanceof TsbuildError && error.cause === undefined)
          assert.equal(error.message.includes('geheim'), false)
          return true
        },
      )
    }
  })

  it('takes time in proportion to the length, whatever the document is', function () {
    this.timeout(60_000)
    const repeat = (before: string, unit: string, after: string): string =>
      before + unit.repeat((MAX_DOCUMENT_BYTES - 100) / unit.length) + after
    const keys = Array.from({ length: 250_000 }, (_, i) => `"k${i}":0`)
    const texts = [
      repeat('"', '\\\\', '"'),
      repeat('"', '\\"', '"'),
      repeat('"', '\\"', ''),
      repeat('"', 'a', ''),
      repeat('[', ' ', ']'),
      repeat('', '9', ''),
      repeat('[', '{},', '{}]'),
      repeat('[', '"\\n",', '0]'),
      repeat('', '[', ''),
      `{${keys.join(',')}}`,
    ]
    for (const text of texts) {
      const before = process.cpuUsage()
      outcome(read, text)
      const { user } = process.cpuUsage(before)
      assert.ok(user < 3_000_000, `${text.slice(0, 20)}: ${user} µs`)
    }
  })
})
