import assert from 'node:assert/strict'
import { closeSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { isUserNamespace } from '#builder/linux'
import type { OpenSandbox } from '../sandbox/fixture.ts'
import { processesOf, untilProcesses } from '../sandbox/host-processes.ts'
import { type ContainerFixture, execIn, openContainers } from './fixture.ts'

const KINDS = ['mnt', 'pid', 'ipc', 'uts', 'net', 'cgroup'] as const

const LINKS = `for kind in ${KINDS.join(' ')}; do readlink /proc/self/ns/$kind; done`

const PID = 'readlink /proc/self/ns/pid'

/** Which namespaces containers have and share. */
export function namespacesSuite(open: OpenSandbox): void {
  describe('namespaces', () => {
    let fixture: ContainerFixture
    before(() => {
      fixture = openContainers(open)
    })
    after(() => fixture.close())

    /** Of a container, by kind. */
    const linksOf = (text: string): ReadonlyMap<string, string> =>
      new Map(
        text
          .trim()
          .split('\n')
          .map((line) => [line.split(':')[0] ?? '', line]),
      )
    const ofHost = (kind: string): string => readlinkSync(`/proc/self/ns/${kind}`)

    it('are its own', async () => {
      const links = linksOf(await fixture.output(LINKS))
      assert.equal(links.size, KINDS.length)
      for (const kind of KINDS) assert.notEqual(links.get(kind), ofHost(kind), kind)
    })

    for (const kind of ['pid', 'ipc', 'uts'] as const) {
      it(`are the host's where that is asked for: ${kind}`, async () => {
        const container = { namespaces: { [kind]: 'host' } }
        await using process = await fixture.start(container)
        for (const text of [await execIn(process, LINKS), await fixture.output(LINKS, container)]) {
          const links = linksOf(text)
          assert.equal(links.size, KINDS.length)
          for (const one of KINDS) {
            assert.equal(links.get(one) === ofHost(one), one === kind, `${one} ${text}`)
          }
        }
        if (kind === 'uts') assert.equal(await execIn(process, 'hostname'), `${hostname()}\n`)
        assert.notEqual(linksOf(await fixture.output(LINKS)).get(kind), ofHost(kind))
      })

      it(`are those of another container: ${kind}`, async () => {
        await using first = await fixture.start()
        await using second = await fixture.start({ namespaces: { [kind]: first } })
        for (const other of KINDS) {
          const [one, two] = [first, second].map(({ pid }) =>
            readlinkSync(`/proc/${pid}/ns/${other}`),
          )
          assert.equal(one === two, other === kind, other)
        }
      })
    }

    it('of the network are those that others made, or another container has', async () => {
      await using first = await fixture.start()
      const namespace = first.openNamespace('net')
      try {
        for (const network of [first, { namespace }]) {
          await using second = await fixture.start({}, { network })
          const links = await Promise.all([first, second].map((one) => execIn(one, LINKS)))
          const [one, two] = links.map((text) => linksOf(text).get('net'))
          assert.equal(one, two)
          assert.notEqual(one, ofHost('net'))
        }
      } finally {
        closeSync(namespace)
      }
    })

    it('of processes let it see those of the other, and end what it has started', async () => {
      const marker = `shared-${fixture.directory}`
      await using first = await fixture.start()
      const script = `(setsid sh -c "sleep 1000; : ${marker}" &); echo ready; cat`
      const second = await fixture.start({ namespaces: { pid: first } }, { script })
      assert.match(await execIn(second, 'cat /proc/1/cmdline | tr "\\0" " "'), /^sh -c echo ready/)
      assert.match(await execIn(first, 'cat /proc/*/cmdline'), new RegExp(marker))
      const [ofFirst, ofSecond] = await Promise.all([first, second].map((one) => execIn(one, PID)))
      assert.equal(ofSecond, ofFirst)
      if (!isUserNamespace()) await untilProcesses(marker, 1)
      second.stdin?.end()
      await second.wait()
      if (!isUserNamespace()) assert.deepEqual(processesOf(marker), [])
      assert.equal(await execIn(first, 'echo alive'), 'alive\n')
    })

    it('of the host end what it has started, too', async function () {
      if (isUserNamespace()) this.skip()
      const marker = `host-${fixture.directory}`
      const script = `(setsid sh -c "sleep 1000; : ${marker}" &); echo ready; cat`
      const process = await fixture.start({ namespaces: { pid: 'host' } }, { script })
      await untilProcesses(marker, 1)
      assert.equal(await execIn(process, PID), `${ofHost('pid')}\n`)
      process.stdin?.end()
      await process.wait()
      assert.deepEqual(processesOf(marker), [])
    })

    it('share memory by name with the other', async () => {
      await using first = await fixture.start()
      await using second = await fixture.start({ namespaces: { ipc: first } })
      await execIn(first, 'echo shared > /dev/shm/file')
      assert.equal(await execIn(second, 'cat /dev/shm/file'), 'shared\n')
      assert.match(await fixture.output('cat /dev/shm/file'), /No such file/)
    })

    it('share no memory by name where there should be none', async () => {
      const container = { namespaces: { ipc: 'none' } } as const
      assert.equal(await fixture.output('grep -c /dev/shm /proc/mounts', container), '0\n')
      assert.equal(await fixture.output('grep -c /dev/shm /proc/mounts'), '1\n')
    })

    it('have a domain name of their own', async () => {
      const container = { domainname: 'of.tests' }
      assert.equal(await fixture.output('cat /proc/sys/kernel/domainname', container), 'of.tests\n')
    })

    it('have settings of the kernel of their own, and no others', async () => {
      const sysctls = { 'kernel.shmmax': '12345678', 'net.ipv4.ip_default_ttl': '33' }
      const script = 'cat /proc/sys/kernel/shmmax /proc/sys/net/ipv4/ip_default_ttl'
      assert.equal(await fixture.output(script, { sysctls }), '12345678\n33\n')
      assert.notEqual(await fixture.output(script), '12345678\n33\n')
      const wrong = [
        { sysctls: { 'kernel.panic': '1' } },
        { sysctls: { 'net/../kernel/panic': '1' } },
        { sysctls: { 'net.ipv4.no_such_thing': '1' } },
        { sysctls: { 'kernel.shmmax': '5' }, namespaces: { ipc: 'host' } },
      ] as const
      for (const container of wrong) {
        await assert.rejects(fixture.start(container), { code: 'USAGE' })
      }
      const network = 'host'
      await assert.rejects(fixture.start({ sysctls }, { network }), { code: 'USAGE' })
    })
  })
}
