import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { at, HOST, WORLD } from '../../../support/networks/index.ts'
import { untilEmpty, WITH_TUNNELS } from '../../../support/peers/index.ts'
import { ContainerLab } from '../support/container-lab.ts'
import { HubLab } from '../support/hub-lab.ts'
import { TCP_CLIENT, TCP_SERVER, UDP_CLIENT, UDP_SERVER } from '../support/port-witness.ts'

const OTHERS = { slirp4netns: 'pasta', pasta: 'slirp4netns' } as const

for (const program of ['slirp4netns', 'pasta'] as const) {
  describe(`network: containers of an ordinary user, by ${program}`, () => {
    let hubs: HubLab
    before(async () => {
      hubs = await HubLab.start()
    })
    after(() => hubs[Symbol.asyncDispose]())

    it('reach each other and the world, and their ports are reached', async () => {
      const { lab } = hubs
      await lab.serveNames('world', WORLD.version4, '192.0.2.77')
      await using containers = await ContainerLab.start(lab, asOrdinaryUser(OTHERS[program]))
      assert.match(JSON.stringify(await containers.ask({ ask: 'usage' })), /"way":"uplink"/)
      await containers.network('one', ['172.30.0.0/16', 'fd00:30::/64'])
      await containers.network('two', ['172.31.0.0/16'])
      const target = { version4: '172.30.0.2', version6: 'fd00:30::2' }
      const web = await containers.place('web', [WORLD.version4])
      await containers.join('web', 'one', target)
      await containers.ask({ ask: 'route', place: 'web', network: 'one' })
      const db = await containers.container('db', 'one', { version4: '172.30.0.3' })
      const other = await containers.container('other', 'two', { version4: '172.31.0.2' })
      await lab.greet(web)
      await lab.greet(other)
      assert.deepEqual(
        await lab.reach(db, [at('172.30.0.2'), at(WORLD.version4), at(HOST.version4)]),
        ['step', 'world', 'host'],
      )
      // By the gateway the host is meant.
      assert.deepEqual(await lab.reach(db, [at('172.30.0.1')]), ['host'])
      const [closed = ''] = await lab.reach(db, [at('172.31.0.2')])
      assert.match(closed, /^failed/)
      for (const [name, address] of [
        ['db', '172.30.0.3\n'],
        ['known.test', '192.0.2.77\n'],
      ] as const) {
        assert.equal(await lab.must(web, ['dig', '+short', '@127.0.0.11', name]), address)
      }
      await lab.start(web, ['python3', '-c', TCP_SERVER, '80'])
      await lab.start(web, ['python3', '-c', UDP_SERVER, '53'])
      const tcp = (from: 'world' | 'host', address: string): Promise<string> =>
        lab.must(from, ['python3', '-c', TCP_CLIENT, address, '8000', '6000000'])
      await containers.publish('web', ['tcp', 80, 8000], { version4: '172.30.0.2' })
      for (const address of ['127.0.0.1', '::1', HOST.version4]) {
        assert.equal(await tcp('host', address), '172.30.0.1 said 6000000\n')
      }
      assert.equal(await tcp('world', HOST.version4), '172.30.0.1 said 6000000\n')
      await containers.publish('web', ['udp', 53, 5353], { version4: '172.30.0.2' })
      const said = ['1 a', '2 a', '1 b', '2 b'].map((text) => `172.30.0.1 ${text}\n`).join('')
      for (const [from, address] of [
        ['world', HOST.version4],
        ['host', '::1'],
      ] as const) {
        const words = ['python3', '-c', UDP_CLIENT, address, '5353']
        assert.equal(await lab.must(from, words), said)
      }
      // A container reaches published ports over the host, its own included.
      await containers.publish('web', ['tcp', 8080, 8100], { version4: '172.30.0.2' })
      for (const from of [web, db, other]) {
        assert.deepEqual(await lab.reach(from, [at(HOST.version4, 8100)]), ['step'])
      }
      await assert.rejects(containers.publish('db', ['tcp', 80, 80], { version4: '172.30.0.3' }), {
        code: 'PERMISSION_DENIED',
      })
    })

    it('reach the world again when the program has ended', async () => {
      await using containers = await ContainerLab.start(hubs.lab, asOrdinaryUser(OTHERS[program]))
      await containers.network('one', ['172.30.0.0/16'])
      const web = await containers.container('web', 'one', { version4: '172.30.0.2' })
      const children = ['pgrep', '-P', `${containers.pid}`]
      const pid = (await hubs.lab.must('host', children)).trim()
      process.kill(Number(pid), 'SIGKILL')
      const end = performance.now() + 15_000
      for (let answer = ''; answer !== 'world'; ) {
        assert.ok(performance.now() < end)
        ;[answer = ''] = await hubs.lab.reach(web, [at(WORLD.version4)])
      }
      assert.notEqual((await hubs.lab.must('host', children)).trim(), pid)
    })

    it('leave no program when their engine ends', async () => {
      const containers = await ContainerLab.start(hubs.lab, asOrdinaryUser(OTHERS[program]))
      const found = await hubs.lab.must('host', ['pgrep', '-P', `${containers.pid}`])
      const pids = found.split('\n').filter(Boolean)
      assert.equal(pids.length, 1)
      await containers.kill()
      const left = (): readonly string[] => pids.filter((pid) => existsSync(`/proc/${pid}`))
      assert.deepEqual(await untilEmpty(left, 2000), [])
    })
  })
}

/** Another machine than that of the test, in which a user may make tunnels and has one program for them. */
function asOrdinaryUser(without: string): readonly string[] {
  const script = `
    mount --bind /dev/null /usr/bin/${without}
    exec setpriv --reuid=54321 --regid=54321 --clear-groups -- unshare --user --map-root-user -- "$@"
  `
  return [...WITH_TUNNELS, 'sh', '-ec', script, 'sh']
}
