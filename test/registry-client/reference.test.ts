import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  familiarReference,
  formatReference,
  parseReference,
  withDefaultTag,
} from '#registry-client'
import { networkHost } from '../../registry-client/reference.ts'

const HEX = 'a'.repeat(64)

describe('references', () => {
  const canonical: readonly (readonly [string, string, string])[] = [
    ['alpine', 'docker.io/library/alpine', 'alpine'],
    ['alpine:3.20', 'docker.io/library/alpine:3.20', 'alpine:3.20'],
    ['user/app', 'docker.io/user/app', 'user/app'],
    ['docker.io/alpine', 'docker.io/library/alpine', 'alpine'],
    ['index.docker.io/user/app:1', 'docker.io/user/app:1', 'user/app:1'],
    ['library/alpine', 'docker.io/library/alpine', 'alpine'],
    ['library/a/b', 'docker.io/library/a/b', 'library/a/b'],
    ['localhost/app', 'localhost/app', 'localhost/app'],
    ['localhost:5000/a/b/c:x', 'localhost:5000/a/b/c:x', 'localhost:5000/a/b/c:x'],
    ['[::1]:5000/app', '[::1]:5000/app', '[::1]:5000/app'],
    ['UPPER/app', 'UPPER/app', 'UPPER/app'],
    ['ghcr.io/o/a_b__c-d---e.f', 'ghcr.io/o/a_b__c-d---e.f', 'ghcr.io/o/a_b__c-d---e.f'],
    ['docker.io/a.b/c', 'docker.io/a.b/c', 'docker.io/a.b/c'],
    [`app@sha256:${HEX}`, `docker.io/library/app@sha256:${HEX}`, `app@sha256:${HEX}`],
    [`app:1@sha256:${HEX}`, `docker.io/library/app:1@sha256:${HEX}`, `app:1@sha256:${HEX}`],
  ]
  for (const [text, full, familiar] of canonical) {
    it(`reads ${text.slice(0, 40)} as ${full.slice(0, 40)}`, () => {
      const reference = parseReference(text)
      assert.equal(formatReference(reference), full)
      assert.equal(familiarReference(reference), familiar)
      assert.deepEqual(parseReference(full), reference)
    })
  }

  const refused: readonly (readonly [string, string])[] = [
    ['', 'invalid reference format'],
    ['a b', 'invalid reference format'],
    ['a//b', 'invalid reference format'],
    ['/a', 'invalid reference format'],
    ['a/', 'invalid reference format'],
    ['a:', 'invalid reference format'],
    ['a:-x', 'invalid reference format'],
    ['a:b:c', 'invalid reference format'],
    ['-a/b', 'invalid reference format'],
    ['a..b/c/d:x', 'invalid reference format'],
    [`a:${'t'.repeat(129)}`, 'invalid reference format'],
    ['host:99999/app', 'invalid reference format'],
    ['host.io/../app', 'invalid reference format'],
    ['a@sha256:abc', 'invalid reference format'],
    [`a@sha256:${HEX}00`, 'invalid checksum digest length'],
    [`a@sha512:${HEX}${HEX}`, 'unsupported digest algorithm'],
    [HEX, `invalid repository name (${HEX}), cannot specify 64-byte hexadecimal strings`],
    ['App', 'invalid reference format: repository name (library/App) must be lowercase'],
    ['ghcr.io/App:1', 'invalid reference format: repository name (App) must be lowercase'],
    [`a/${'b'.repeat(255)}`, 'repository name must not be more than 255 characters'],
    ['a'.repeat(100_000), 'invalid reference format'],
  ]
  for (const [text, message] of refused) {
    it(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => {
      assert.throws(() => parseReference(text), { code: 'REFERENCE_INVALID', message })
    })
  }

  it('adds the default tag only where neither tag nor digest is', () => {
    assert.equal(withDefaultTag(parseReference('a')).tag, 'latest')
    assert.equal(withDefaultTag(parseReference('a:1')).tag, '1')
    assert.equal(withDefaultTag(parseReference(`a@sha256:${HEX}`)).tag, undefined)
  })

  it('reads back what it prints', () => {
    const name = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z]{1,4})?$/)
    const tag = fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/), {
      nil: undefined,
    })
    const host = fc.constantFrom('', 'docker.io/', 'localhost:5000/', 'h.example/', '127.0.0.1/')
    fc.assert(
      fc.property(host, fc.array(name, { minLength: 1, maxLength: 4 }), tag, (at, parts, label) => {
        const text = `${at}${parts.join('/')}${label === undefined ? '' : `:${label}`}`
        const reference = parseReference(text)
        assert.deepEqual(parseReference(formatReference(reference)), reference)
        assert.deepEqual(parseReference(familiarReference(reference)), reference)
      }),
    )
  })

  it('keeps the registry before a user who is called as it', () => {
    for (const text of ['docker.io/docker.io/a/b', 'docker.io/index.docker.io/a']) {
      assert.equal(familiarReference(parseReference(text)), text)
    }
    assert.equal(familiarReference(parseReference('docker.io/library/a:1')), 'a:1')
  })

  it('answers in an instant, whatever it is given', () => {
    const before = process.threadCpuUsage()
    for (const part of ['a-', 'a.', '_', 'a__', 'a/']) {
      assert.throws(() => parseReference(`${part.repeat(500)}!`))
    }
    const { user, system } = process.threadCpuUsage(before)
    assert.ok(user + system < 200_000)
  })

  it('recognizes the host behind Docker Hub', () => {
    assert.equal(networkHost('docker.io'), 'registry-1.docker.io')
    assert.equal(networkHost('ghcr.io'), 'ghcr.io')
  })
})
