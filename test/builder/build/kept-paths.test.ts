import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { resolveOptions, type Settings } from '#builder/options'
import { keptPaths, watchedFolders } from '../../../builder/build/kept-paths.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'

describe('what a build needs of a root that steps run in', () => {
  let place: TemporaryDirectory
  before(() => {
    place = temporaryDirectory('kept')
    for (const name of ['real', 'bin', 'context', 'docker']) mkdirSync(place.file(name))
    symlinkSync('real', place.file('linked'))
    for (const name of ['docker-credential-x', 'other'])
      writeFileSync(place.file(`bin/${name}`), '')
  })
  after(() => place[Symbol.dispose]())

  const settingsIn = (env: Readonly<Record<string, string>>): Settings =>
    resolveOptions(
      {
        context: place.file('context'),
        file: place.file('x/Dockerfile'),
        root: place.file('linked'),
        contexts: { named: place.file('bin'), image: 'docker-image://scratch' },
        secrets: { a: { file: place.file('secret') }, b: { value: 'v' } },
        ssh: { default: [place.file('agent')] },
        outputs: [{ type: 'oci', dest: place.file('out.tar') }],
        keep: [place.file('mine')],
        cacheFrom: [{ type: 'local', src: place.file('from'), verify: place.file('open-key') }],
        cacheTo: [{ type: 'local', dest: place.file('to'), sign: place.file('key') }],
      },
      env,
    )
  const kept = (env: Readonly<Record<string, string>> = {}): readonly string[] =>
    keptPaths(settingsIn(env), place.file('context'))

  it('is watched where steps may write by mistake, but for the store', () => {
    const { contexts, store } = watchedFolders(settingsIn({}), place.file('context'))
    assert.deepEqual(contexts, [place.file('context'), place.file('bin')])
    assert.equal(store, place.file('real'))
  })

  it('is what it was given, with and without links', () => {
    const names = [
      'real',
      'linked',
      'context',
      'x/Dockerfile',
      'bin',
      'secret',
      'agent',
      'out.tar',
      'mine',
      'from',
      'to',
      'key',
      'open-key',
    ]
    const paths = kept()
    for (const name of names) assert.ok(paths.includes(place.file(name)), name)
  })

  it('is what belongs to every container, and the packages that code is loaded from', () => {
    const paths = kept()
    for (const path of ['/proc', '/sys', '/dev', '/etc/hosts'])
      assert.ok(paths.includes(path), path)
    const here = import.meta.dirname
    assert.ok(paths.some((path) => here.startsWith(`${path}/`)))
    assert.ok(!paths.includes('/'))
  })

  it('is what docker has for a push, where that is there', () => {
    const env = { PATH: `/nowhere:${place.file('bin')}`, DOCKER_CONFIG: place.file('docker') }
    const paths = kept(env)
    assert.ok(paths.includes(place.file('docker')))
    assert.ok(paths.includes(place.file('bin/docker-credential-x')))
    assert.ok(!paths.includes(place.file('bin/other')))
    assert.ok(!kept({ DOCKER_CONFIG: place.file('missing') }).includes(place.file('missing')))
  })

  it('is never the program and its libraries, where stages have theirs', () => {
    assert.ok(!kept().some((path) => /^\/(usr\/)?(lib|lib64|bin)(\/|$)/.test(path)))
  })
})
