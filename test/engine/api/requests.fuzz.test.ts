import assert from 'node:assert/strict'
import fc from 'fast-check'
import { fuzz, havoc } from '../../support/random/index.ts'
import { ask } from '../support/socket-http.ts'
import { type ServedEngine, sendRaw, serveHere } from './support/served-engine.ts'

/** Requests that are understood, of several kinds; what is done with them is up to chance. */
const REQUESTS = [
  'GET /v1.41/containers/json?all=1&filters={"label":["a=b"]} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  'POST /containers/create?name=one HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 40\r\n\r\n{"Image":"none","HostConfig":{"Binds":[]}}',
  'POST /exec/0/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\n{}',
  'GET /containers/none/attach/ws?stream=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  'POST /networks/create HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n13\r\n{"Name":"n","IPAM":\r\n4\r\nnull\r\n1\r\n}\r\n0\r\n\r\n',
  'POST /images/load HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 16\r\n\r\n\x1f\x8b\b\0\0\0\0\0\0\0\x03\x03\0\0\0\0',
  'POST /build?dockerfile=../x&buildargs={"__proto__":"x"} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
  'GET /images/x/json HTTP/1.1\r\nHost: x\r\n\r\nGET /info HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  'PUT /containers/none/archive?path=/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nabcd',
]

describe('fuzz: requests to an engine', () => {
  let engine: ServedEngine

  before(async () => {
    engine = await serveHere()
  })
  after(() => engine[Symbol.asyncDispose]())

  fuzz('F15: are answered or refused, and the next one is answered', {
    name: 'requests',
    inputs: havoc(fc.constantFrom(...REQUESTS)),
    check: async (text) => {
      const answer = await sendRaw(engine.socket, Buffer.from(text, 'latin1'))
      for (const [, status = ''] of answer.matchAll(/^HTTP\/1\.1 (\d+)/gm)) {
        assert.ok(status !== '500', answer.slice(0, 400))
      }
      const { body } = await ask(engine.socket, 'GET', '/_ping')
      assert.equal(body, 'OK')
    },
  })
})
