import assert from 'node:assert/strict'
import { getEventListeners, once } from 'node:events'
import { Sessions, sessionIdentity } from '#buildkit/session'
import { identityOf } from './support/grpc-peer.ts'
import { socketTunnel } from './support/tunnel.ts'

/** How many timers hold this process up, but for that of the test. */
function timers(): number {
  const named = process.getActiveResourcesInfo().filter((what) => what === 'Timeout')
  return named.length - 1
}

describe('sessions of clients', () => {
  it('are found by their ids as long as they last', async () => {
    using sessions = new Sessions()
    const { daemon, client } = await socketTunnel()
    const session = sessions.add(daemon, identityOf([], 'one'))
    assert.equal(await sessions.get('one'), session)
    assert.equal(await sessions.get('context:one'), session)
    assert.equal(sessions.size, 1)
    client.destroy()
    await once(session.closed, 'abort')
    assert.equal(sessions.size, 0)
    await assert.rejects(sessions.get('one', { timeout: 10 }), { code: 'NOT_FOUND' })
    assert.equal(session.closed.reason.status, 'UNAVAILABLE')
  })

  it('are waited for', async () => {
    using sessions = new Sessions()
    const waiting = [sessions.get('late'), sessions.get('x:late')]
    const { daemon } = await socketTunnel()
    const session = sessions.add(daemon, identityOf([], 'late'))
    assert.equal(timers(), 2)
    assert.deepEqual(await Promise.all(waiting), [session, session])
    assert.equal(timers(), 0)
  })

  it('are not waited for when that is cancelled', async () => {
    using sessions = new Sessions()
    const stop = new AbortController()
    const waiting = sessions.get('never', { signal: stop.signal })
    assert.equal(getEventListeners(stop.signal, 'abort').length, 1)
    stop.abort()
    await assert.rejects(waiting, { code: 'CANCELLED' })
    await assert.rejects(sessions.get('never', { signal: stop.signal }), { code: 'CANCELLED' })
    assert.equal(getEventListeners(stop.signal, 'abort').length, 0)
  })

  it('have one id each, which is free when they have ended', async () => {
    using sessions = new Sessions()
    const first = await socketTunnel()
    const session = sessions.add(first.daemon, identityOf([], 'same'))
    const second = await socketTunnel()
    assert.throws(() => sessions.check('same'), { code: 'CONFLICT' })
    assert.throws(() => sessions.add(second.daemon, identityOf([], 'same')), { code: 'CONFLICT' })
    assert.equal(second.daemon.destroyed, true)
    assert.equal(await sessions.get('same'), session)
    session.close()
    const third = await socketTunnel()
    assert.notEqual(sessions.add(third.daemon, identityOf([], 'same')), session)
  })

  it('are refused beyond a number', async () => {
    using sessions = new Sessions()
    const { duplexPair } = await import('node:stream')
    for (let index = 0; index < 1000; index++) {
      sessions.add(duplexPair()[0], identityOf([], `${index}`))
    }
    assert.throws(() => sessions.check('1001'), { code: 'CONFLICT' })
    const session = await sessions.get('5')
    session.close()
    sessions.check('1001')
  })

  it('end with their registry', async () => {
    const sessions = new Sessions()
    const { daemon, client } = await socketTunnel()
    const session = sessions.add(daemon, identityOf([], 'one'))
    sessions[Symbol.dispose]()
    assert.equal(session.closed.aborted, true)
    if (!client.destroyed) await once(client.resume(), 'close')
  })
})

describe('session: how a client introduces it', () => {
  const given = {
    'x-docker-expose-session-uuid': 'abc123',
    'x-docker-expose-session-name': 'folder',
    'x-docker-expose-session-sharedkey': 'key',
    'x-docker-expose-session-grpc-method': ['/a.A/One', '/a.A/Two'],
    other: 'x',
  }

  it('is read of headers that come in two ways', () => {
    const methods = new Set(['/a.a/one', '/a.a/two'])
    const identity = { id: 'abc123', name: 'folder', sharedKey: 'key', methods }
    assert.deepEqual(sessionIdentity(given), identity)
    const joined = { ...given, 'x-docker-expose-session-grpc-method': '/a.A/One, /a.A/Two' }
    assert.deepEqual(sessionIdentity(joined), identity)
    const { id, name, sharedKey } = sessionIdentity({ 'x-docker-expose-session-uuid': ['z'] })
    assert.deepEqual([id, name, sharedKey], ['z', '', ''])
  })

  const refused: readonly (readonly [string, Record<string, string | string[]>])[] = [
    ['no id', { 'x-docker-expose-session-uuid': '' }],
    ['an id with a colon', { 'x-docker-expose-session-uuid': 'a:b' }],
    ['an id with a line break', { 'x-docker-expose-session-uuid': 'a\nb' }],
    ['a long id', { 'x-docker-expose-session-uuid': 'a'.repeat(257) }],
    ['a method without a slash', { 'x-docker-expose-session-grpc-method': 'a' }],
    ['a long method', { 'x-docker-expose-session-grpc-method': `/a/${'b'.repeat(300)}` }],
    ['many methods', { 'x-docker-expose-session-grpc-method': Array(300).fill('/a/b') }],
    ['many methods in one', { 'x-docker-expose-session-grpc-method': '/a/b,'.repeat(1e6) }],
  ]
  for (const [what, headers] of refused) {
    it(`is refused with ${what}`, () => {
      assert.throws(() => sessionIdentity({ ...given, ...headers }), { code: 'USAGE' })
    })
  }
})
