import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import {
  type Dockerfile,
  formatDockerfile,
  mapInstructions,
  parseDockerfile,
  printDockerfile,
} from '#parser'
import { assertGoldenText, casesIn } from '../../support/golden/index.ts'
import { FIXTURES, withoutPositions } from '../fixtures.ts'

function parse(source: string | Uint8Array): Dockerfile {
  const { dockerfile, diagnostics } = parseDockerfile(source)
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  )
  return dockerfile
}

describe('printDockerfile', () => {
  for (const name of casesIn(FIXTURES)) {
    it(`prints ${name} so that it parses to the same`, () => {
      const dockerfile = parse(readFileSync(`${FIXTURES}/${name}/Dockerfile`))
      const again = parse(printDockerfile(dockerfile))
      assert.deepEqual(withoutPositions(again), withoutPositions(dockerfile))
    })
  }

  it('prints what was changed', () => {
    const dockerfile = parse('FROM a:1 AS b\nRUN x \\\n  # c\n  && y\nONBUILD RUN \\\n z\n')
    const changed = mapInstructions(dockerfile, (instruction) => {
      if (instruction.kind === 'from') return { ...instruction, image: at('a:2', instruction) }
      if (instruction.kind !== 'run') return instruction
      return { ...instruction, command: { form: 'exec', args: ['q', '"'] } }
    })
    const expected =
      'FROM a:2 AS b\nRUN \\\n    # c\n    ["q", "\\""]\nONBUILD RUN \\\n    ["q", "\\""]\n'
    assert.equal(printDockerfile(changed), expected)
  })
})

function at(raw: string, { range }: Pick<Dockerfile['stages'][0]['from'], 'range'>) {
  return { raw, range }
}

describe('formatDockerfile', () => {
  for (const name of casesIn(FIXTURES)) {
    it(name, () => {
      const folder = `${FIXTURES}/${name}`
      const formatted = formatDockerfile(parse(readFileSync(`${folder}/Dockerfile`)))
      assertGoldenText(`${folder}/formatted.Dockerfile`, formatted)
      assert.equal(formatDockerfile(parse(formatted)), formatted)
    })
  }
})
