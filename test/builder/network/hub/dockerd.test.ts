import assert from 'node:assert/strict'
import { at, WORLD } from '../../../support/networks/index.ts'
import { startDockerd } from '../../../support/peers/index.ts'
import { HubLab } from '../support/hub-lab.ts'

describe('network: hubs beside dockerd', () => {
  it('pass its firewall, and go without a trace in it', async () => {
    await using hubs = await HubLab.start()
    await using dockerd = await startDockerd({ network: hubs.lab.path('host') })
    const { stdout } = await dockerd.docker(['network', 'inspect', '-f', BRIDGE, 'bridge'])
    assert.match(stdout, /^docker0$/m)
    const rules = (): Promise<string> => hubs.lab.must('host', ['iptables', '-S'])
    const before = await rules()
    assert.match(before, /^-P FORWARD DROP$/m)
    {
      await using hub = await hubs.open(1)
      const [step = 'world'] = hub.facts.steps
      assert.deepEqual(await hubs.lab.reach(step, [at(WORLD.version4)]), ['world'])
      // Its own network goes on working beside ours.
      await dockerd.docker(['network', 'create', 'other'])
      await dockerd.docker(['network', 'rm', 'other'])
      const [bridge = ''] = await hubs.lab.reach(step, [at('172.17.0.1')])
      assert.match(bridge, /^failed/)
    }
    assert.equal(await rules(), before)
  })
})

const BRIDGE = '{{index .Options "com.docker.network.bridge.name"}}'
