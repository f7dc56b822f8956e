import assert from 'node:assert/strict'
import { at, HOST, NEIGHBOUR, WORLD } from '../../../support/networks/index.ts'
import { ContainerLab } from '../support/container-lab.ts'
import { HubLab } from '../support/hub-lab.ts'

describe('network: containers', () => {
  let hubs: HubLab
  before(async () => {
    hubs = await HubLab.start()
  })
  beforeEach(() => hubs.untilNothingIsLeft())
  after(() => hubs[Symbol.asyncDispose]())

  it('reach each other, the world and the host, and not those of another network', async () => {
    await using containers = await ContainerLab.start(hubs.lab)
    await containers.network('one', ['172.30.0.0/16', 'fd00:30::/64'])
    await containers.network('two', ['172.31.0.0/16'])
    const web = await containers.container('web', 'one', {
      version4: '172.30.0.2',
      version6: 'fd00:30::2',
    })
    const db = await containers.container('db', 'one', {
      version4: '172.30.0.3',
      version6: 'fd00:30::3',
    })
    const other = await containers.container('other', 'two', { version4: '172.31.0.2' })
    for (const container of [web, db, other]) await hubs.lab.greet(container, '53')
    const { lab } = hubs
    assert.deepEqual(
      await lab.reach(web, [
        at('172.30.0.3'),
        at('fd00:30::3'),
        at(WORLD.version4),
        at(WORLD.version6),
        at(NEIGHBOUR),
      ]),
      ['step', 'step', 'world', 'world', 'neighbour'],
    )
    assert.deepEqual(
      await lab.reach(web, [
        at(HOST.version4),
        at('172.30.0.1'),
        at('fd00:30::1'),
        at('127.0.0.1', 53),
      ]),
      ['host', 'host', 'host', 'step'],
    )
    assert.deepEqual(
      await lab.reach('host', [at('172.30.0.2'), at('172.31.0.2'), at('fd00:30::2')]),
      ['step', 'step', 'step'],
    )
    const closed = await lab.reach(web, [at('172.31.0.2')])
    for (const answer of [...closed, ...(await lab.reach(other, [at('172.30.0.2')]))])
      assert.match(answer, /^failed/)
  })
})
