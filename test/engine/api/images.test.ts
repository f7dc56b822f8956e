import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { processesOf } from '../../suites/sandbox/host-processes.ts'
import {
  type Registry,
  run,
  startBusyboxRegistry,
  temporaryDirectory,
  untilEmpty,
} from '../../support/peers/index.ts'
import { answerTo, ask, begin, finish } from '../support/socket-http.ts'
import { type ServedEngine, serveHere } from './support/served-engine.ts'

describe('images over the API', () => {
  let engine: ServedEngine
  let registry: Registry
  before(async () => {
    ;[engine, registry] = await Promise.all([serveHere(), startBusyboxRegistry()])
    const pulled = await get('POST', `/images/create?fromImage=${registry.host}/busybox&tag=latest`)
    assert.equal(pulled.status, 200)
  })
  after(async () => {
    await registry[Symbol.asyncDispose]()
    await engine[Symbol.asyncDispose]()
  })

  const get = async (method: string, path: string, minor = 41) => {
    const { status, headers, body } = await ask(engine.socket, method, `/v1.${minor}${path}`)
    return { status, type: headers['content-type'], body }
  }
  const json = async (path: string, minor = 41): Promise<Record<string, unknown>> =>
    JSON.parse((await get('GET', path, minor)).body) as Record<string, unknown>
  const send = async (
    path: string,
    bytes: Buffer,
    headers: Readonly<Record<string, string>> = {},
  ) => {
    const sent = begin(engine.socket, 'POST', path)
    for (const [name, value] of Object.entries(headers)) sent.setHeader(name, value)
    return await finish(sent, bytes)
  }

  it('are named as people write them, with slashes and registries', async () => {
    const name = `${registry.host}/busybox`
    const { Id } = await json(`/images/${name}/json`)
    for (const text of [`${name}:latest`, String(Id), String(Id).slice(7, 15)]) {
      assert.equal((await json(`/images/${encodeURIComponent(text)}/json`)).Id, Id, text)
      assert.equal((await json(`/images/${text}/json`)).Id, Id, text)
    }
    const tag = await get('POST', `/images/${name}/tag?repo=a/b/c&tag=1`)
    assert.deepEqual([tag.status, tag.body], [201, ''])
    assert.equal((await json('/images/a/b/c:1/json')).Id, Id)
    const removed = await get('DELETE', '/images/a/b/c:1')
    assert.deepEqual(JSON.parse(removed.body), [{ Untagged: 'a/b/c:1' }])
  })

  it('have the statuses and types of docker', async () => {
    const cases: readonly (readonly [string, string, number])[] = [
      ['GET', '/images/nosuch/json', 404],
      ['GET', '/images/BAD/json', 400],
      ['GET', '/images/nosuch/history', 404],
      ['GET', '/images/nosuch/get', 404],
      ['GET', '/images/get', 400],
      ['GET', '/images/nosuch/nothing', 404],
      ['GET', '/images/json?filters=x', 400],
      ['GET', '/images/search?term=http://x', 400],
      ['POST', '/images/nosuch/tag?repo=x', 404],
      ['POST', '/images/nosuch/nothing', 404],
      ['POST', '/images/create', 400],
      ['POST', '/images/create?fromImage=scratch', 403],
      ['POST', `/images/create?fromImage=${registry.host}/nosuch&tag=1`, 404],
      ['POST', '/images/create?fromImage=BAD', 400],
      ['POST', '/build?remote=/etc', 400],
      ['POST', '/build/cancel', 400],
      ['POST', '/build/cancel?id=none', 200],
      ['DELETE', '/images/nosuch', 404],
      ['GET', `/distribution/${registry.host}/busybox/json`, 200],
      ['GET', `/distribution/${registry.host}/nosuch/json`, 404],
    ]
    for (const [method, path, expected] of cases) {
      const { status, type, body } = await get(method, path)
      assert.equal(status, expected, `${method} ${path} ${body}`)
      if (body === '') continue
      assert.equal(type, 'application/json', path)
      if (status >= 400) assert.equal(typeof JSON.parse(body).message, 'string')
    }
  })

  it('have the fields of each version', async () => {
    const path = `/images/${registry.host}/busybox/json`
    const fields: readonly (readonly [number, readonly string[], readonly string[]])[] = [
      [24, ['VirtualSize', 'ContainerConfig', 'Parent', 'GraphDriver'], ['Descriptor']],
      [43, ['VirtualSize', 'Container'], ['Descriptor']],
      [44, ['ContainerConfig', 'DockerVersion'], ['VirtualSize']],
      [45, ['Parent', 'Comment', 'Author'], ['Container', 'ContainerConfig']],
      [48, ['Descriptor', 'Author'], ['Manifests']],
      [52, ['Descriptor', 'RootFS', 'Metadata'], ['Parent', 'Comment', 'DockerVersion', 'Author']],
      [56, ['Id', 'RepoTags', 'RepoDigests', 'Created', 'Config'], ['VirtualSize']],
    ]
    for (const [minor, present, absent] of fields) {
      const document = await json(path, minor)
      for (const name of present) assert.ok(name in document, `${name} in 1.${minor}`)
      for (const name of absent) assert.ok(!(name in document), `${name} in 1.${minor}`)
    }
    const configs: readonly (readonly [number, number])[] = [
      [41, 17],
      [49, 17],
      [50, 8],
      [51, 8],
      [52, 2],
    ]
    for (const [minor, count] of configs) {
      const { Config } = await json(path, minor)
      assert.equal(Object.keys(Config as object).length, count, `1.${minor}`)
    }
    const manifests = await json(`${path}?manifests=1`, 48)
    const [summary] = manifests.Manifests as readonly Record<string, unknown>[]
    assert.deepEqual([summary?.Kind, summary?.Available], ['image', true])
    const platform = encodeURIComponent('{"os":"linux","architecture":"amd64"}')
    assert.ok((await json(`${path}?platform=${platform}`, 49)).Id)
    const other = encodeURIComponent('{"os":"linux","architecture":"s390x"}')
    const missing = await get('GET', `${path}?platform=${other}`, 49)
    assert.equal(missing.status, 404)
    assert.match(missing.body, /was found but its platform \(linux\/amd64\) does not match/)
    const both = await get('GET', `${path}?platform=${platform}&manifests=1`, 49)
    assert.equal(both.status, 400)
    assert.deepEqual(await json(`/images/${registry.host}/busybox/attestations`, 55), [])
  })

  it('are saved and loaded as streams', async () => {
    const name = `${registry.host}/busybox:latest`
    const saved = await send('/images/load?quiet=1', await savedOf(name))
    assert.deepEqual(JSON.parse(saved.body), { stream: `Loaded image: ${name}\n` })
    const damaged = await send('/images/load', Buffer.from('no archive'))
    assert.equal(damaged.status, 200)
    assert.ok(JSON.parse(damaged.body).errorDetail.message)
  })
  const savedOf = async (name: string): Promise<Buffer> => {
    const path = `/images/get?names=${encodeURIComponent(name)}`
    const { headers, bytes } = await ask(engine.socket, 'GET', path)
    assert.equal(headers['content-type'], 'application/x-tar')
    return bytes
  }

  it('are built with the credentials of many registries', async () => {
    const entry = (at: number) => [
      `registry${at}.example`,
      { username: 'u', password: 'p'.repeat(2000) },
    ]
    const all = Object.fromEntries(Array.from({ length: 60 }, (_, at) => entry(at)))
    const header = Buffer.from(JSON.stringify(all)).toString('base64url')
    assert.ok(header.length > 100_000)
    const { stdout } = await run('sh', [
      '-c',
      'cd "$(mktemp -d)"; echo FROM scratch > Dockerfile; echo LABEL a=b >> Dockerfile; tar -cf - Dockerfile | base64 -w0; rm Dockerfile; rmdir "$PWD"',
    ])
    const context = Buffer.from(stdout, 'base64')
    const { status, body } = await send('/build', context, { 'x-registry-config': header })
    assert.equal(status, 200)
    assert.match(body, /Successfully built/)
  })

  it('are built as long as the client is there', async () => {
    using folder = temporaryDirectory('context')
    // Others on this machine may sleep, too.
    const command = `sleep 86${process.pid}`
    const lines = [`FROM ${registry.host}/busybox`, `RUN echo begun; ${command}`]
    await run(
      'sh',
      ['-c', `printf '${lines.join('\\n')}' > Dockerfile; tar -cf context.tar Dockerfile`],
      {
        cwd: folder.path,
      },
    )
    const sent = begin(engine.socket, 'POST', '/build')
    sent.on('error', () => undefined)
    const response = await answerTo(sent, readFileSync(folder.file('context.tar')))
    let text = ''
    for await (const chunk of response) {
      text += String(chunk)
      if (text.includes('begun\\n"')) break
    }
    sent.destroy()
    assert.deepEqual(await untilEmpty(() => processesOf(command), 20_000), [])
  })
})
