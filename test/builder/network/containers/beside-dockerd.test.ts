import assert from 'node:assert/strict'
import { at, HOST, WORLD } from '../../../support/networks/index.ts'
import { startDockerd } from '../../../support/peers/index.ts'
import { ContainerLab } from '../support/container-lab.ts'
import { HubLab } from '../support/hub-lab.ts'
import { TCP_CLIENT, TCP_SERVER } from '../support/port-witness.ts'

describe('network: containers beside dockerd', () => {
  it('pass its firewall, and go without a trace in it', async () => {
    await using hubs = await HubLab.start()
    await using dockerd = await startDockerd({ network: hubs.lab.path('host') })
    const { stdout } = await dockerd.docker(['network', 'inspect', '-f', BRIDGE, 'bridge'])
    assert.match(stdout, /^docker0$/m)
    const rules = (): Promise<string> => hubs.lab.must('host', ['iptables-save'])
    const before = withoutCounts(await rules())
    assert.match(before, /^:FORWARD DROP$/m)
    {
      await using containers = await ContainerLab.start(hubs.lab)
      await containers.network('one', ['172.30.0.0/16'])
      const web = await containers.container('web', 'one', { version4: '172.30.0.2' })
      await containers.publish('web', ['tcp', 80, 8000], { version4: '172.30.0.2' })
      await hubs.lab.start(web, ['python3', '-c', TCP_SERVER, '80'])
      const client = ['python3', '-c', TCP_CLIENT, HOST.version4, '8000', '3']
      assert.equal(await hubs.lab.must('world', client), `${WORLD.version4} said 3\n`)
      assert.equal(await hubs.lab.must(web, client), '172.30.0.1 said 3\n')
      assert.deepEqual(await hubs.lab.reach(web, [at(WORLD.version4)]), ['world'])
      // Its own network goes on working beside ours.
      await dockerd.docker(['network', 'create', 'other'])
      await dockerd.docker(['network', 'rm', 'other'])
      assert.equal(await hubs.lab.must('world', client), `${WORLD.version4} said 3\n`)
    }
    assert.equal(withoutCounts(await rules()), before)
  })
})

const BRIDGE = '{{index .Options "com.docker.network.bridge.name"}}'

/** Of packets, and times. */
function withoutCounts(rules: string): string {
  return rules.replace(/ \[\d+:\d+\]$/gm, '').replace(/^#.*\n/gm, '')
}
