import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { findRoute } from '../../../registry-client/mirrors/find-route.ts'
import { containerdMirrors } from '../../../registry-client/mirrors/hosts-toml.ts'
import { parseRegistryMirror } from '../../../registry-client/mirrors/mirror.ts'

describe('mirrors', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-test-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }

  /** `host/repository` of each mirror, with what else it has. */
  async function mirrors(image: string, given: readonly string[] = []): Promise<readonly string[]> {
    const [registry = '', ...rest] = image.split('/')
    const name = { registry, repository: rest.join('/') }
    const environment = { XDG_CONFIG_HOME: folder }
    const route = await findRoute(name, given.map(parseRegistryMirror), environment)
    if (route.blockedBy !== undefined) return [`blocked by ${route.blockedBy.slice(folder.length)}`]
    return route.mirrors.map(({ host, repository, isInsecure, accepts }) =>
      [`${host}/${repository}`, ...(isInsecure ? ['insecure'] : []), accepts].join(' '),
    )
  }

  it('are given for a registry, with a prefix', async () => {
    const given = [
      'docker.io=mirror.test:5000/hub/',
      'a.test=http://b.test',
      'index.docker.io=c.test',
    ]
    assert.deepEqual(await mirrors('docker.io/library/x', given), [
      'mirror.test:5000/hub/library/x all',
      'c.test/library/x all',
    ])
    assert.deepEqual(await mirrors('a.test/x', given), ['b.test/x insecure all'])
    assert.deepEqual(await mirrors('other.test/x', given), [])
  })

  it('that cannot be read are mistakes', () => {
    for (const text of [
      'docker.io',
      '=m',
      'a=',
      'a=u:p@m.test',
      'a=m?x',
      'a=ftp://m',
      'a/b=m',
      'a=m:99999',
    ]) {
      assert.throws(() => parseRegistryMirror(text), { code: 'USAGE' }, text)
    }
  })

  it('of docker’s daemon are for Docker Hub', async () => {
    const daemon = {
      'registry-mirrors': ['https://m.test/', 'http://n.test:5000'],
      'insecure-registries': ['m.test'],
    }
    write('docker/daemon.json', JSON.stringify(daemon))
    assert.deepEqual(await mirrors('docker.io/library/x'), [
      'm.test/library/x insecure all',
      'n.test:5000/library/x insecure all',
    ])
    assert.deepEqual(await mirrors('quay.test/x'), [])
    write('docker/daemon.json', '{"registry-mirrors": 7}')
    await assert.rejects(mirrors('docker.io/library/x'), { code: 'CONFIG_INVALID' })
  })

  it('of registries.conf are those of the longest prefix', async () => {
    write(
      'containers/registries.conf',
      `unqualified-search-registries = ["docker.io"]
       [[registry]]
       location = "a.test"
       [[registry.mirror]]
       location = "m.test/all"
       [[registry.mirror]]
       location = "n.test"
       insecure = true
       pull-from-mirror = "tag-only"
       [[registry]]
       prefix = "a.test/team"
       location = "b.test/moved"
       mirror-by-digest-only = true
       [[registry.mirror]]
       location = "m.test/team"
       [[registry]]
       prefix = "*.wild.test"
       [[registry.mirror]]
       location = "m.test/wild"
       [[registry]]
       location = "bad.test"
       blocked = true`,
    )
    assert.deepEqual(await mirrors('a.test/other/x'), [
      'm.test/all/other/x all',
      'n.test/other/x insecure tags',
    ])
    assert.deepEqual(await mirrors('a.test/team/x'), [
      'm.test/team/x digests',
      'b.test/moved/x all',
    ])
    assert.deepEqual(await mirrors('a.test/teams/x'), [
      'm.test/all/teams/x all',
      'n.test/teams/x insecure tags',
    ])
    assert.deepEqual(await mirrors('q.wild.test/x'), ['m.test/wild/x all'])
    assert.deepEqual(await mirrors('wild.test/x'), [])
    const blocked = ['blocked by /containers/registries.conf']
    assert.deepEqual(await mirrors('bad.test/x'), blocked)
    assert.deepEqual(await mirrors('bad.test/x', ['bad.test=m.test']), blocked)
    write('containers/registries.conf.d/1.conf', '[[registry]]\nlocation = "bad.test"\n')
    assert.deepEqual(await mirrors('bad.test/x'), [])
    write('containers/registries.conf', '[[registry]')
    await assert.rejects(mirrors('a.test/x'), { code: 'CONFIG_INVALID' })
  })

  it('of containerd are hosts that can be pulled from', async () => {
    write(
      'a.test_5000_/hosts.toml',
      `server = "https://a.test:5000"
       [host."https://m.test"]
       capabilities = ["pull", "resolve"]
       [host."http://n.test:80/v2/proxy"]
       capabilities = ["pull"]
       override_path = true
       [host."https://push.test"]
       capabilities = ["push"]
       [host."https://odd.test/path"]`,
    )
    write('_default/hosts.toml', '[host."https://all.test"]\nskip_verify = true\n')
    const found = async (registry: string) =>
      (await containerdMirrors({ registry, repository: 'x' }, folder)).map(
        ({ host, repository, isInsecure, accepts }) =>
          `${host}/${repository} ${isInsecure} ${accepts}`,
      )
    assert.deepEqual(await found('a.test:5000'), [
      'm.test/x false all',
      'n.test:80/proxy/x true digests',
    ])
    assert.deepEqual(await found('b.test'), ['all.test/x true all'])
  })
})
