import assert from 'node:assert/strict'
import { WORLD } from '../../../support/networks/index.ts'
import { ContainerLab, type LabContainer } from '../support/container-lab.ts'
import { HubLab } from '../support/hub-lab.ts'

/** Where a server of names is. */
const SERVER = WORLD.version4

describe('network: names of containers', () => {
  let hubs: HubLab
  let containers: ContainerLab
  let web: LabContainer
  before(async () => {
    hubs = await HubLab.start()
    await hubs.lab.serveNames('world', SERVER, '192.0.2.77')
    containers = await ContainerLab.start(hubs.lab)
    await containers.network('front', ['172.30.0.0/16', 'fd00:30::/64'])
    await containers.network('back.end', ['172.31.0.0/16'])
    web = await containers.place('web', [SERVER])
    await containers.join('web', 'front', {
      ...{ version4: '172.30.0.2', version6: 'fd00:30::2', links: [['Ally', 'db']] },
      names: ['web', '0123456789ab', 'www'],
    })
    await containers.join('web', 'back.end', { version4: '172.31.0.2' })
    for (const [place, network, version4] of [
      ['db', 'front', '172.30.0.3'],
      ['my.app', 'front', '172.30.0.4'],
      ['api1', 'front', '172.30.0.5'],
      ['api2', 'front', '172.30.0.6'],
      ['cache', 'back.end', '172.31.0.7'],
    ] as const) {
      const names = place.startsWith('api') ? [place, 'api'] : [place]
      await containers.place(place, [SERVER])
      await containers.join(place, network, { version4, names })
    }
  })
  after(async () => {
    await containers[Symbol.asyncDispose]()
    await hubs[Symbol.asyncDispose]()
  })

  const dig = async (...words: readonly string[]): Promise<string> =>
    await hubs.lab.must(web, ['dig', '@127.0.0.11', '+tries=1', '+time=3', ...words])
  const short = async (...words: readonly string[]): Promise<readonly string[]> =>
    (await dig('+short', ...words)).split('\n').slice(0, -1)
  const status = async (...words: readonly string[]): Promise<string> => {
    const [, found = '', answers = ''] =
      /status: (\w+),.*ANSWER: (\d+),/s.exec(await dig(...words)) ?? []
    return `${found} ${answers}`
  }

  it('are those of its networks: names, aliases, ids, whole names and links', async () => {
    for (const [name, address] of [
      ['db', '172.30.0.3'],
      ['DB', '172.30.0.3'],
      ['web', '172.30.0.2'],
      ['www', '172.30.0.2'],
      ['0123456789ab', '172.30.0.2'],
      ['my.app', '172.30.0.4'],
      ['db.front', '172.30.0.3'],
      ['my.app.front', '172.30.0.4'],
      ['cache', '172.31.0.7'],
      ['cache.back.end', '172.31.0.7'],
      ['ally', '172.30.0.3'],
    ] as const) {
      assert.deepEqual(await short(name), [address], name)
      assert.deepEqual(await short('+tcp', name), [address], name)
    }
    assert.deepEqual(await short('AAAA', 'web'), ['fd00:30::2'])
  })

  it('have no other records, and nobody else is asked for them', async () => {
    assert.equal(await status('AAAA', 'db'), 'NOERROR 0')
    assert.equal(await status('MX', 'db'), 'NOERROR 0')
    assert.equal(await status('ANY', 'db'), 'NOERROR 0')
    assert.equal(await status('A', 'db'), 'NOERROR 1')
    assert.match(await dig('A', 'db'), /^db\.\s+600\s+IN\s+A\s+172\.30\.0\.3$/m)
  })

  it('of several containers lead to each by turns', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => short('api')))
    for (const answer of answers) {
      assert.deepEqual([...answer].sort(), ['172.30.0.5', '172.30.0.6'])
    }
    assert.equal(new Set(answers.map(([first]) => first)).size, 2)
  })

  it('are found by address', async () => {
    assert.deepEqual(await short('-x', '172.30.0.3'), ['db.front.'])
    assert.deepEqual(await short('-x', '172.31.0.7'), ['cache.back.end.'])
    assert.deepEqual(await short('-x', 'fd00:30::2'), ['web.front.'])
    assert.equal(await status('-x', '172.30.0.99'), 'NXDOMAIN 0')
  })

  it('of all others are asked of servers', async () => {
    assert.deepEqual(await short('known.test'), ['192.0.2.77'])
    assert.equal((await short('many.test')).length, 60)
    assert.equal(await status('unknown.test'), 'NXDOMAIN 0')
    // Without a server there is an answer nevertheless.
    const lonely = await containers.place('lonely')
    const { stdout } = await hubs.lab.on(lonely, ['dig', '@127.0.0.11', '+tries=1', 'known.test'])
    assert.match(stdout, /status: SERVFAIL/)
  })

  it('are asked for by the C library, and leave port 53 to the container', async () => {
    const server = 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)'
    const own = `${server}; s.bind(("0.0.0.0", 53)); t = socket.socket(); t.bind(("0.0.0.0", 53))`
    assert.equal(await hubs.lab.must(web, ['python3', '-c', `${own}; print("bound")`]), 'bound\n')
    const conf = hubs.lab.directory.file('resolv.conf')
    const script = `
      printf 'nameserver 127.0.0.11\\noptions ndots:0\\n' > ${conf}
      mount --bind ${conf} /etc/resolv.conf
      getent ahosts web; getent hosts 172.30.0.3`
    const words = ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', script]
    const found = await hubs.lab.must(web, words)
    assert.match(found, /^fd00:30::2\s+STREAM/m)
    assert.match(found, /^172\.30\.0\.2\s+STREAM/m)
    assert.match(found, /^172\.30\.0\.3\s+db\.front$/m)
  })

  it('go with their container, and are not those of networks that it is not in', async () => {
    await containers.place('brief', [SERVER])
    await containers.join('brief', 'back.end', { version4: '172.31.0.9' })
    assert.deepEqual(await short('brief'), ['172.31.0.9'])
    await containers.ask({ ask: 'disconnect', place: 'web', network: 'back.end' })
    assert.equal(await status('brief'), 'NXDOMAIN 0')
    assert.equal(await status('cache.back.end'), 'NXDOMAIN 0')
    await containers.join('web', 'back.end', { version4: '172.31.0.2' })
    assert.deepEqual(await short('brief'), ['172.31.0.9'])
    await containers.ask({ ask: 'release', place: 'brief' })
    assert.equal(await status('brief'), 'NXDOMAIN 0')
  })
})
