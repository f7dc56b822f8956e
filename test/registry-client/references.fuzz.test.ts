import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isDigest } from '#core'
import { familiarReference, formatReference, parseReference } from '#registry-client'
import { fuzz, orTyped, textHavoc } from '../support/random/index.ts'

const HEX = '0123456789abcdef'.repeat(4)
const REFERENCES = [
  'alpine',
  'registry.test:5000/team/app:v1.2-rc_3',
  `localhost/a__b/c-d--e@sha256:${HEX}`,
  `[::1]:5000/x:y@sha256:${HEX}`,
  'docker.io/library/busybox:latest',
  'a.b/../c',
]
/** What an address or a path could be made of when it gets into a reference. */
const UNSAFE = /[\s%?#\\]|\/\/|(?:^|\/)\.\.?(?:\/|$)/

const inputs = fc.record({
  reference: textHavoc(REFERENCES),
  digest: textHavoc([`sha256:${HEX}`, `sha512:${HEX}${HEX}`, 'sha256:../../x']),
})

describe('fuzz: references', () => {
  fuzz('F9: come back as they were read, and hold nothing that is no name', {
    name: 'references',
    inputs,
    check: ({ reference, digest }) => {
      if (isDigest(digest)) assert.match(digest, /^sha256:[0-9a-f]{64}$/)
      const parsed = orTyped(['REFERENCE_INVALID'], () => parseReference(reference))
      if (parsed === undefined) return
      const text = formatReference(parsed)
      assert.doesNotMatch(text, UNSAFE)
      assert.deepEqual(parseReference(text), parsed)
      assert.deepEqual(parseReference(familiarReference(parsed)), parsed)
    },
  })
})
