import assert from 'node:assert/strict'
import fc from 'fast-check'
import { changedText, checkPrinting, likelyFile } from './likely-file.ts'

describe('printing, as a property', function () {
  this.timeout(60_000)
  /** How many of the texts that a property was tried with were Dockerfiles. */
  let parsed = 0
  const check = (source: string): void => {
    if (checkPrinting(source)) parsed++
  }
  beforeEach(() => {
    parsed = 0
  })

  it('gives back the AST of any Dockerfile, and a form that formatting keeps', () => {
    fc.assert(fc.property(likelyFile, check), { numRuns: 1500 })
    assert.ok(parsed > 300, `${parsed} Dockerfiles`)
  })

  it('gives back the AST of changed real files', () => {
    fc.assert(fc.property(changedText, check), { numRuns: 1000 })
    assert.ok(parsed > 200, `${parsed} Dockerfiles`)
  })
})
