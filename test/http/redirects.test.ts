import assert from 'node:assert/strict'
import {
  compose,
  followingRedirects,
  type HttpRequest,
  locationUrl,
  withHeaders,
  withOriginHeaders,
} from '#http'

const FIRST = new URL('http://a/1')
const REQUEST: HttpRequest = { method: 'GET', url: FIRST, headers: { accept: '*/*' } }

/** Sends along a chain of locations; what was sent is in `seen`. */
function following(locations: readonly string[], status = 302) {
  const seen: HttpRequest[] = []
  const send = compose(
    async (request) => {
      const location = locations[seen.push(request) - 1]
      const { url } = request
      const body = Buffer.alloc(0)
      return location === undefined
        ? { status: 200, url, body, headers: {} }
        : { status, url, body, headers: { location } }
    },
    withHeaders({ agent: 'x' }),
    withOriginHeaders(FIRST.origin, { authorization: 'secret' }),
    followingRedirects((location, from) => locationUrl(location, from) ?? new URL('http://bad/')),
  )
  return { send, seen }
}

describe('redirects', () => {
  it('are followed, and secret headers stay at their origin', async () => {
    const { send, seen } = following(['/2', 'http://user:pw@b:80/3#x', 'http://a/4'])
    const answer = await send(REQUEST)
    assert.deepEqual(
      seen.map(({ url, headers }) => [url.href, headers.authorization, headers.agent]),
      [
        ['http://a/1', 'secret', 'x'],
        ['http://a/2', 'secret', 'x'],
        ['http://b/3', undefined, 'x'],
        ['http://a/4', 'secret', 'x'],
      ],
    )
    assert.deepEqual([answer.status, answer.url.href], [200, 'http://a/4'])
  })

  it('end after ten', async () => {
    const locations = Array<string>(10).fill('/again')
    assert.equal((await following(locations).send(REQUEST)).status, 200)
    await assert.rejects(following([...locations, '/again']).send(REQUEST), {
      code: 'TOO_MANY_REDIRECTS',
    })
  })

  it('are followed where the request can be repeated', async () => {
    const open = async function* () {
      yield Buffer.from('x')
    }
    const put: HttpRequest = { ...REQUEST, method: 'PUT' }
    const cases: readonly (readonly [HttpRequest, number, number])[] = [
      [{ ...REQUEST, method: 'HEAD' }, 301, 2],
      [put, 301, 1],
      [put, 307, 2],
      [put, 308, 2],
      [{ ...put, body: { kind: 'stream', open } }, 307, 1],
      [REQUEST, 304, 1],
    ]
    for (const [request, status, requests] of cases) {
      const { send, seen } = following(['/2'], status)
      await send(request)
      assert.equal(seen.length, requests, `${request.method} ${status}`)
    }
  })

  it('to what is not a URL are left to the caller', () => {
    assert.equal(locationUrl('http://[', FIRST), undefined)
  })
})
