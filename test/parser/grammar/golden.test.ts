import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { parseDockerfile } from '#parser'
import { casesIn } from '../../support/golden/index.ts'
import { assertGolden, FIXTURES } from '../fixtures.ts'

describe('parseDockerfile: golden files', () => {
  const cases = casesIn(FIXTURES)

  it('has cases', () => assert.ok(cases.length >= 20))

  for (const name of cases) {
    it(name, () => {
      const folder = `${FIXTURES}/${name}`
      const { dockerfile, diagnostics } = parseDockerfile(readFileSync(`${folder}/Dockerfile`))
      assert.deepEqual(
        diagnostics.filter(({ severity }) => severity === 'error'),
        [],
      )
      const warnings = diagnostics.map(({ code, message, range }) => ({ code, message, range }))
      assertGolden(`${folder}/ast.json`, { ...dockerfile, warnings })
    })
  }
})

describe('parseDockerfile: golden files of mistakes', () => {
  const cases = casesIn(`${FIXTURES}/invalid`)

  it('has cases', () => assert.ok(cases.length >= 20))

  for (const name of cases) {
    it(name, () => {
      const folder = `${FIXTURES}/invalid/${name}`
      const { diagnostics } = parseDockerfile(readFileSync(`${folder}/Dockerfile`))
      assert.ok(diagnostics.some(({ severity }) => severity === 'error'))
      assertGolden(`${folder}/diagnostics.json`, diagnostics)
    })
  }
})
