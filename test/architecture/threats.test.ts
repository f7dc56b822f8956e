import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
/** How many threats there are of each kind. */
const COUNTS = { A: 30, B: 12, C: 27, D: 12, E: 10, H: 8, J: 10, K: 9 }
const FUZZED = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16, 17, 18, 19]

/** A row: the name of the threat or target, and what shows it. */
interface Row {
  readonly name: string
  readonly shown: string
}

const rows: readonly Row[] = readFileSync(join(ROOT, 'docs/security.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| (T-[A-K]|F)\d/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, name = '', ...cells]) => ({ name: name.split(' ')[0] ?? '', shown: cells.at(-2) ?? '' }))

describe('the threats of docs/security.md', () => {
  it('are all there, each once', () => {
    const threats = Object.entries(COUNTS).flatMap(([kind, count]) =>
      Array.from({ length: count }, (_, index) => `T-${kind}${index + 1}`),
    )
    const fuzzed = FUZZED.map((number) => `F${number}`)
    assert.deepEqual(rows.map(({ name }) => name).toSorted(), [...threats, ...fuzzed].toSorted())
  })

  for (const { name, shown } of rows) {
    it(`${name} has tests that exist, or a reason`, () => {
      const tests = [...shown.matchAll(/`(test\/[^`]+)`: ([^;]+)/g)]
      assert.ok(tests.length > 0 || /\w+ \w+ \w+/.test(shown), shown)
      for (const [, file = '', title = ''] of tests) {
        assert.ok(existsSync(join(ROOT, file)), file)
        assert.ok(title.trim().length > 7, `"${title}" could be anything`)
        const text = readFileSync(join(ROOT, file), 'utf8')
        assert.ok(text.includes(title.trim()), `${file} has no test "${title}"`)
      }
    })
  }
})
