import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parseDockerignore } from '#parser'

const PART = fc.constantFrom('a', 'b', 'c', '*', '**', 'a*', '?', '[ab]')
const NAME = fc.constantFrom('a', 'b', 'c', 'ab')
const pathOf = (part: fc.Arbitrary<string>) =>
  fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
const LINE = fc.tuple(fc.constantFrom('', '!'), pathOf(PART)).map(([mark, path]) => mark + path)

describe('very many rules of a .dockerignore', () => {
  it('decide like each of them looked at in turn', () => {
    fc.assert(
      fc.property(fc.array(LINE, { maxLength: 12 }), pathOf(NAME), (lines, path) => {
        const rules = parseDockerignore(lines.join('\n'))
        const single = rules.rules.map(({ pattern }) => {
          return parseDockerignore(pattern.replace(/^!/, ''))
        })
        const last = single.findLastIndex((rule) => rule.isIgnored(path))
        assert.equal(rules.decidingRule(path), rules.rules[last])
        assert.equal(rules.matchingRules(path).at(-1), rules.rules[last])
      }),
      { numRuns: 2000 },
    )
  })

  it('never say that a folder holds nothing where something in it is included', () => {
    fc.assert(
      fc.property(
        fc.array(LINE, { maxLength: 12 }),
        pathOf(NAME),
        pathOf(NAME),
        (lines, dir, rest) => {
          const rules = parseDockerignore(lines.join('\n'))
          if (rules.isIgnored(`${dir}/${rest}`)) return
          assert.equal(rules.mayContainIncluded(dir), true)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('answer 20,000 questions about 100,000 lines within seconds', () => {
    const lines = Array.from({ length: 100_000 }, (_, i) => {
      const path = `dir${i % 1000}/file${i}`
      return [path, `!${path}/kept`, `**/name${i}`, `dir${i % 1000}/*.x${i}`][i % 4] ?? ''
    })
    const before = process.cpuUsage()
    const rules = parseDockerignore(['dir*', ...lines].join('\n'))
    for (let i = 0; i < 10_000; i++) {
      const path = `dir${i % 1000}/file${i}/more`
      assert.equal(rules.isIgnored(path), true)
      rules.mayContainIncluded(path)
    }
    // Whatever else the machine does meanwhile.
    assert.ok(process.cpuUsage(before).user < 8_000_000)
  })
})
