import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import fc from 'fast-check'
import { type HttpResponse, retryAfterOf } from '#http'
import { parseChallenge } from '../../registry-client/auth/challenge.ts'
import { resolveLocation } from '../../registry-client/endpoint/location.ts'
import { nextPage } from '../../registry-client/repository/pages.ts'
import { fuzz, orTyped, textHavoc } from '../support/random/index.ts'

const REGISTRY = new URL('https://registry.test:5000/v2/')

const CHALLENGES = [
  'Bearer realm="https://auth.test/token",service="registry.test",scope="repository:a/b:pull,push"',
  'Basic realm="Registry", Bearer realm="https://auth.test/t\\"x", error="invalid_token"',
  'Negotiate, Bearer realm=https://auth.test, scope="a" , scope=b',
]
const LOCATIONS = [
  '/v2/a/blobs/uploads/1?_state=x',
  'https://registry.test:5000/v2/a/blobs/uploads/1',
  '//registry.test/x',
  'http://user:word@registry.test:5000/up#part',
  'http://127.0.0.1:1/',
  'https://[::1]/x',
  'https://0x7f.1/x',
  'file:///etc/passwd',
  '../../../x?y',
]
const LINKS = [
  '</v2/a/tags/list?last=x&n=1>; rel="next"',
  '<https://elsewhere.test//x/..//y?z>; rel=next, <b>; rel="prev"',
  '<//elsewhere.test/v2/>;title="a;b";rel="next"',
]
const TIMES = ['1', '120', 'Wed, 21 Oct 2026 07:28:00 GMT', '-1', '1e9', '99999999999']

function answer(headers: Readonly<Record<string, string>>): HttpResponse {
  return { status: 200, headers, url: REGISTRY, body: Buffer.alloc(0) }
}

const inputs = fc.record({
  challenge: textHavoc(CHALLENGES),
  location: textHavoc(LOCATIONS),
  link: textHavoc(LINKS),
  time: textHavoc(TIMES),
})

describe('fuzz: headers of registries', () => {
  fuzz('F10: are understood within their bounds, or not at all', {
    name: 'headers',
    inputs,
    check: ({ challenge, location, link, time }) => {
      checkChallenge(challenge)
      checkLocation(location)
      const next = nextPage(answer({ link }), REGISTRY)
      assert.equal(next?.origin ?? REGISTRY.origin, REGISTRY.origin)
      const now = { now: () => 0, elapsed: () => 0, random: () => 0, sleep: async () => {} }
      const wait = retryAfterOf(answer({ 'retry-after': time }), now) ?? 0
      assert.ok(wait >= 0 && wait <= 60_000, `${wait}`)
    },
  })
})

function checkChallenge(header: string): void {
  const challenge = parseChallenge(header)
  if (challenge?.scheme !== 'bearer') return
  // Values are parts of the header, once its escapes are gone.
  const text = header.replace(/\\(.)/g, '$1')
  for (const value of [challenge.realm, challenge.service ?? '']) assert.ok(text.includes(value))
  assert.ok(challenge.scopes.every((scope) => scope !== '' && !scope.includes(' ')))
}

/** A registry that is not on this machine, spoken to over TLS, leads to such places only. */
function checkLocation(location: string): void {
  const target = orTyped(['REGISTRY_FAILED'], () => resolveLocation(location, REGISTRY, REGISTRY))
  if (target === undefined) return
  assert.equal(target.protocol, 'https:')
  assert.equal(target.username + target.password, '')
  const isLocal = isIP(target.hostname) === 4 && /^(127|0|169\.254)\./.test(target.hostname)
  assert.ok(!isLocal && !/^(\[::1?\]|localhost)$/.test(target.hostname), target.href)
}
