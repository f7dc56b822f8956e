import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../../support/peers/index.ts'
import { failureOf } from './support/failure-of.ts'
import { type PeerMethods, startPeer, unary } from './support/grpc-peer.ts'

describe('session: whether a client is there', () => {
  const times = { interval: 50, timeout: 200 }

  it('is asked again and again', async () => {
    let asked = 0
    const counting = {
      '/grpc.health.v1.Health/Check': unary(() => {
        asked++
        return Buffer.from([8, 1])
      }),
    }
    await using peer = await startPeer(counting, { times })
    await until(() => asked > 5)
    assert.equal(peer.session.closed.aborted, false)
    peer.session.close()
    const before = asked
    await delay(200)
    assert.equal(asked, before)
  })

  it('is not doubted for one answer that does not come', async () => {
    let asked = 0
    const methods: PeerMethods = {
      '/grpc.health.v1.Health/Check': (call) => {
        asked++
        if (asked % 2 === 1) unary(() => Buffer.from([8, 1]))?.(call)
        else call.on('error', () => undefined)
      },
    }
    await using peer = await startPeer(methods, { times })
    await until(() => asked > 6)
    assert.equal(peer.session.closed.aborted, false)
  })

  it('is over when two answers do not come', async () => {
    const methods: PeerMethods = {
      '/grpc.health.v1.Health/Check': (call) => call.on('error', () => undefined),
      '/a.A/Silent': (call) => call.on('error', () => undefined),
    }
    await using peer = await startPeer(methods, { times })
    const begun = performance.now()
    const failure = await failureOf(peer.session.call('/a.A/Silent', Buffer.alloc(1)))
    assert.equal(failure.status, 'UNAVAILABLE')
    const took = performance.now() - begun
    assert.ok(took > 450 && took < 5000, `${took} ms`)
  })

  it('does not depend on a service of that name', async () => {
    const missing = Object.assign(new Error('none'), { code: 12, details: 'none' })
    let asked = 0
    const methods: PeerMethods = {
      '/grpc.health.v1.Health/Check': unary(() => {
        asked++
        throw missing
      }),
    }
    await using peer = await startPeer(methods, { times })
    await until(() => asked > 4)
    assert.equal(peer.session.closed.aborted, false)
  })

  it('is asked when all calls are taken, too', async () => {
    let asked = 0
    const methods: PeerMethods = {
      '/grpc.health.v1.Health/Check': unary(() => {
        asked++
        return Buffer.from([8, 1])
      }),
      '/a.A/Silent': (call) => call.on('error', () => undefined),
    }
    await using peer = await startPeer(methods, { times })
    const stop = new AbortController()
    for (let index = 0; index < 100; index++) {
      peer.session.open('/a.A/Silent', { signal: stop.signal })
    }
    assert.throws(() => peer.session.open('/a.A/Silent'), { status: 'RESOURCE_EXHAUSTED' })
    await until(() => asked > 4)
    assert.equal(peer.session.closed.aborted, false)
    stop.abort()
    await until(() => {
      try {
        peer.session.open('/a.A/Silent')
        return true
      } catch {
        return false
      }
    })
  })
})
