import assert from 'node:assert/strict'
import { type Endpoint, liveNetwork } from './support/live-network.ts'

describe('networks of an engine that runs', () => {
  it('give each container an address, the least that is free', () => {
    const network = liveNetwork('10.0.0.0/29')
    const taken = ['a', 'b', 'c'].map((id): Endpoint => network.enter(id))
    assert.deepEqual(
      taken.map(({ version4 }) => version4),
      ['10.0.0.2', '10.0.0.3', '10.0.0.4'],
    )
    network.leave(taken[1])
    assert.equal(network.enter('d').version4, '10.0.0.3')
    assert.equal(network.enter('e', '10.0.0.6').version4, '10.0.0.6')
    assert.throws(() => network.enter('a'), { code: 'PERMISSION_DENIED' })
    assert.throws(() => network.enter('f', '10.0.0.6'), { message: 'Address already in use' })
    network.enter('g')
    assert.throws(() => network.enter('h'), /no available IPv4 addresses/)
  })

  it('let nobody in once they are removed', async () => {
    const network = liveNetwork('10.0.0.0/29')
    await network.close()
    assert.throws(() => network.enter('a'), { code: 'NOT_FOUND', message: 'network n not found' })
  })
})
