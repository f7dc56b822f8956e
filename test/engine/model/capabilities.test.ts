import assert from 'node:assert/strict'
import { capabilitiesOf } from '#engine/model'

describe('capabilities of a container', () => {
  const count = (request: Parameters<typeof capabilitiesOf>[0]): number =>
    capabilitiesOf(request).length

  it('are 14 unless something is asked for, and 41 in all', () => {
    assert.equal(count({}), 14)
    assert.equal(count({ Privileged: true }), 41)
    assert.equal(count({ CapAdd: ['ALL'] }), 41)
  })

  it('are named with or without CAP_, in any case', () => {
    assert.ok(capabilitiesOf({ CapAdd: ['net_admin'] }).includes('CAP_NET_ADMIN'))
    assert.ok(!capabilitiesOf({ CapDrop: ['CAP_Chown'] }).includes('CAP_CHOWN'))
  })

  it('are those that are added where all are dropped', () => {
    assert.deepEqual(capabilitiesOf({ CapDrop: ['ALL'] }), [])
    assert.deepEqual(capabilitiesOf({ CapDrop: ['all'], CapAdd: ['chown'] }), ['CAP_CHOWN'])
  })

  it('are without those that are dropped where all are added', () => {
    const found = capabilitiesOf({ CapAdd: ['ALL'], CapDrop: ['SYS_ADMIN'] })
    assert.equal(found.length, 40)
    assert.ok(!found.includes('CAP_SYS_ADMIN'))
  })

  it('that there are not are refused', () => {
    assert.throws(() => capabilitiesOf({ CapAdd: ['FLY'] }), {
      code: 'USAGE',
      message: 'invalid CapAdd: unknown capability: "CAP_FLY"',
    })
  })
})
