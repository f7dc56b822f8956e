import assert from 'node:assert/strict'
import { isBuiltInFrontend, parseDockerfile } from '#parser'

const HEX = '0123456789abcdef'.repeat(4)
const PLACES = [
  '',
  'docker.io/',
  'index.docker.io/',
  'mirror.gcr.io/',
  'registry.corp:5000/hub/',
  'localhost:5000/a/b/c/',
  '[::1]:5000/',
  'ghcr.io/my_org/x-y.z/',
]
const NAMES = ['docker/dockerfile', 'docker/dockerfile-upstream']
const VERSIONS = [
  '',
  ':1',
  ':1.4',
  ':1-labs',
  ':master',
  `@sha256:${HEX}`,
  `:1.7.0-rc1@sha256:${HEX}`,
]

const FOREIGN = [
  '',
  'dockerfile',
  'dockerfile:1',
  'docker/dockerfiles',
  'docker/dockerfile-labs',
  'mydocker/dockerfile',
  'docker/dockerfile/x',
  'docker.dockerfile',
  'registry.corp/dockerfile:1',
  'docker/dockerfile:',
  'docker/dockerfile:1/x',
  'docker/dockerfile@sha256',
  'example.com/evil@docker/dockerfile',
  'https://mirror.gcr.io/x:docker/dockerfile:1',
  '/docker/dockerfile',
  'dockerfile.v1',
]

describe('the frontend that a file asks for', () => {
  for (const place of PLACES) {
    for (const name of NAMES) {
      it(`is built in: ${place}${name}, in any version`, () => {
        for (const version of VERSIONS) {
          const reference = `${place}${name}${version}`
          assert.ok(isBuiltInFrontend(reference), reference)
          assert.ok(isBuiltInFrontend(`${reference} --flag`), reference)
          for (const text of [`# syntax=${reference}`, `// syntax=${reference}`]) {
            const { diagnostics } = parseDockerfile(`${text}\nFROM a\n`)
            const messages = diagnostics.map(({ message }) => message)
            assert.ok(!messages.some((one) => one.startsWith('unsupported')), reference)
          }
        }
      })
    }
  }

  it('is built in under the name that BuildKit gives its own', () => {
    assert.ok(isBuiltInFrontend('dockerfile.v0'))
  })

  for (const reference of FOREIGN) {
    it(`is another one: ${JSON.stringify(reference)}`, () => {
      assert.equal(isBuiltInFrontend(reference), false)
    })
  }

  it('does not count where one was chosen for the file', () => {
    const text = '# syntax=example.com/frontend:1\n# escape=`\nFROM a\n'
    assert.equal(parseDockerfile(text).diagnostics[0]?.code, 'unsupported')
    const { dockerfile, diagnostics } = parseDockerfile(text, { frontend: 'built-in' })
    assert.deepEqual(diagnostics, [])
    assert.equal(dockerfile.escape, '`')
  })
})
