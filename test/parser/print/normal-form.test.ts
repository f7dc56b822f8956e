import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import {
  formatDockerfile,
  type NormalForm,
  type NormalInstruction,
  normalForm,
  parseDockerfile,
} from '#parser'
import { casesIn } from '../../support/golden/index.ts'
import { assertGolden, FIXTURES } from '../fixtures.ts'

function withoutLines(form: NormalForm): unknown {
  const strip = ({ line, endLine, onbuild, ...rest }: NormalInstruction): unknown => {
    assert.ok(line >= 1 && endLine >= line)
    return onbuild === undefined ? rest : { ...rest, onbuild: strip(onbuild) }
  }
  return { ...form, instructions: form.instructions.map(strip) }
}

describe('normalForm', () => {
  for (const name of casesIn(FIXTURES)) {
    it(`of ${name}, which formatting does not change`, () => {
      const folder = `${FIXTURES}/${name}`
      const result = parseDockerfile(readFileSync(`${folder}/Dockerfile`))
      const form = normalForm(result)
      assertGolden(`${folder}/normal.json`, form)
      const formatted = normalForm(parseDockerfile(formatDockerfile(result.dockerfile)))
      assert.ok(!('error' in form) && !('error' in formatted))
      assert.notEqual(form.instructions.length, 0)
      // AS is an argument of FROM, and follows its case.
      const upper = (text: string): string =>
        name === 'case' ? text.replaceAll('"as"', '"AS"') : text
      const expected = upper(JSON.stringify(withoutLines(form)))
      assert.equal(JSON.stringify(withoutLines(formatted)), expected)
    })
  }

  for (const name of casesIn(`${FIXTURES}/invalid`)) {
    it(`refuses ${name}`, () => {
      const folder = `${FIXTURES}/invalid/${name}`
      const form = normalForm(parseDockerfile(readFileSync(`${folder}/Dockerfile`)))
      assertGolden(`${folder}/normal.json`, form)
      assert.deepEqual(Object.keys(form), ['error'])
    })
  }
})

describe('normalForm: table', () => {
  const text = readFileSync(`${FIXTURES}/normal-form.txt`, 'utf8').trimEnd()
  const cases = text.split('\n\n').filter((block) => !block.startsWith('#'))

  it('has cases', () => assert.ok(cases.length >= 20))

  for (const block of cases) {
    const at = block.lastIndexOf('\n=> ')
    const source = block.slice(0, at)
    it(source.replaceAll('\n', '⏎'), () => {
      const form = normalForm(parseDockerfile(`FROM a\n${source}\n`))
      const expected: object = JSON.parse(block.slice(at + 4))
      const found = 'error' in form ? form : form.instructions[1]
      assert.deepEqual(found, { ...found, ...expected })
    })
  }
})
