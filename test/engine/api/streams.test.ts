import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { ask } from '../support/socket-http.ts'
import { importBusybox } from './support/busybox-image.ts'
import { type ServedEngine, serveHere } from './support/served-engine.ts'

describe('streams of an engine', function () {
  this.timeout(60_000)
  let engine: ServedEngine

  before(async () => {
    engine = await serveHere()
    await importBusybox(engine.socket, 'streams:1')
  })
  after(() => engine[Symbol.asyncDispose]())

  /** Of a program that prints nothing. */
  async function start(name: string, ...command: readonly string[]): Promise<void> {
    const HostConfig = { NetworkMode: 'none' }
    const body = JSON.stringify({ Image: 'streams:1', Cmd: command, StopTimeout: 0, HostConfig })
    const created = await ask(engine.socket, 'POST', `/containers/create?name=${name}`, body)
    assert.equal(created.status, 201, created.body)
    const started = await ask(engine.socket, 'POST', `/containers/${name}/start`)
    assert.equal(started.status, 204, started.body)
  }

  /** The answer to a request, when its head has come. Disposing breaks the connection. */
  async function head(path: string): Promise<Disposable & { readonly response: IncomingMessage }> {
    const agent = new Agent()
    const sent = request({ socketPath: engine.socket, path, agent })
    sent.on('error', () => undefined)
    sent.end()
    const late = setTimeout(() => sent.destroy(new Error('no head comes')), 5_000)
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    clearTimeout(late)
    response.on('error', () => undefined)
    return { response, [Symbol.dispose]: () => sent.destroy() }
  }

  it('have a head before anything happens', async () => {
    await start('silent', 'sleep', '1000')
    for (const path of ['/events', '/containers/silent/logs?follow=1&stdout=1']) {
      using answer = await head(path)
      assert.equal(answer.response.statusCode, 200, path)
    }
  })

  it('have no head where the request is wrong', async () => {
    const { status } = await ask(engine.socket, 'GET', '/events?since=yesterday')
    assert.equal(status, 400)
  })
})
