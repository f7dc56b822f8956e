import assert from 'node:assert/strict'
import { compose, type HttpRequest, type HttpResponse, retrying } from '#http'
import { HttpError } from '../../http/errors.ts'
import { TestTiming } from '../support/http/index.ts'

const REQUEST: HttpRequest = { method: 'GET', url: new URL('http://h/'), headers: {} }

function answer(status: number, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  return { status, headers, url: REQUEST.url, body: Buffer.alloc(0) }
}

/** Gives the outcomes one after the other, the last one for ever. */
function exchanges(outcomes: readonly (HttpResponse | Error)[]) {
  const timing = new TestTiming()
  let count = 0
  const send = compose(async () => {
    const outcome = outcomes[Math.min(count++, outcomes.length - 1)]
    if (outcome === undefined || outcome instanceof Error) throw outcome
    return outcome
  }, retrying(timing))
  return { send, timing, count: () => count }
}

const failure = (code: string): Error => Object.assign(new Error(code), { code })

describe('retry', () => {
  for (const status of [408, 425, 429, 500, 502, 503, 504]) {
    it(`repeats a request after ${status}, waiting longer each time`, async () => {
      const { send, timing } = exchanges([...Array(5).fill(answer(status)), answer(200)])
      assert.equal((await send(REQUEST)).status, 200)
      assert.deepEqual(timing.slept, [500, 1000, 2000, 4000, 8000])
    })
  }

  for (const status of [200, 301, 400, 401, 403, 404, 405, 410, 501]) {
    it(`does not repeat after ${status}`, async () => {
      const { send, count } = exchanges([answer(status)])
      assert.equal((await send(REQUEST)).status, status)
      assert.equal(count(), 1)
    })
  }

  it('gives up after six attempts, or as many as a request allows', async () => {
    for (const attempts of [undefined, 1, 2]) {
      const { send, count } = exchanges([answer(503)])
      assert.equal((await send({ ...REQUEST, attempts })).status, 503)
      assert.equal(count(), attempts ?? 6)
    }
  })

  const waits: readonly (readonly [string, number])[] = [
    ['3', 3000],
    ['0', 500],
    ['1000000000', 60_000],
    ['-1', 500],
    ['soon', 500],
    ['1.5', 500],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 500],
    ['Fri, 01 Jan 2100 00:00:00 GMT', 60_000],
  ]
  for (const [header, expected] of waits) {
    it(`waits ${expected} ms after Retry-After: ${header}`, async () => {
      const { send, timing } = exchanges([answer(429, { 'retry-after': header }), answer(200)])
      await send(REQUEST)
      assert.deepEqual(timing.slept, [expected])
    })
  }

  const failures: readonly (readonly [Error, number])[] = [
    [failure('ECONNRESET'), 6],
    [new HttpError('cut', { code: 'CONNECTION_CLOSED' }), 6],
    [new HttpError('slow', { code: 'TOO_SLOW' }), 6],
    [new AggregateError([failure('EHOSTUNREACH')]), 6],
    [new Error('wrapped', { cause: failure('EPIPE') }), 6],
    [failure('EAI_AGAIN'), 2],
    [new HttpError('silent', { code: 'CONNECT_TIMEOUT' }), 2],
    [failure('ECONNREFUSED'), 1],
    [failure('ENOTFOUND'), 1],
    [new HttpError('large', { code: 'ANSWER_TOO_LARGE' }), 1],
    [new Error('a bug'), 1],
  ]
  for (const [error, attempts] of failures) {
    it(`makes ${attempts} attempts at ${JSON.stringify(error.message)} ${error.name}`, async () => {
      const { send, count } = exchanges([error])
      await assert.rejects(send(REQUEST), (thrown) => thrown === error)
      assert.equal(count(), attempts)
    })
  }

  it('sends a stream once: its bytes are spent', async () => {
    const { send, count } = exchanges([answer(503)])
    const open = async function* () {
      yield Buffer.from('x')
    }
    await send({ ...REQUEST, method: 'PUT', body: { kind: 'stream', open } })
    assert.equal(count(), 1)
  })
})
