import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { run } from '../../support/peers/index.ts'
import { ask } from '../support/socket-http.ts'
import { importBusybox } from './support/busybox-image.ts'
import { open, type ServedEngine, serveHere } from './support/served-engine.ts'

describe('containers over the API', function () {
  this.timeout(60_000)
  let engine: ServedEngine

  const docker = async (words: readonly string[], input = ''): Promise<string> => {
    const env = { DOCKER_HOST: `unix://${engine.socket}` }
    const { stdout } = await run('/usr/bin/docker', words, { env, input })
    return stdout.trim()
  }
  const create = async (name: string, ...words: readonly string[]): Promise<void> => {
    await docker(['create', '--network=none', `--name=${name}`, ...words])
  }

  before(async () => {
    engine = await serveHere()
    await importBusybox(engine.socket, 'busybox:1')
  })
  after(() => engine[Symbol.asyncDispose]())
  afterEach(async () => {
    const all = await docker(['ps', '-aq'])
    if (all !== '') await docker(['rm', '-f', ...all.split('\n')])
  })

  async function healthOf(name: string): Promise<{ Status: string; Log: { Output: string }[] }> {
    for (;;) {
      const { body } = await ask(engine.socket, 'GET', `/containers/${name}/json`)
      const { Health } = JSON.parse(body).State
      if (Health.Log.length > 0) return Health
      await delay(50)
    }
  }

  it('are tested by commands whose children hold the output open', async () => {
    const health = ['--health-interval=100ms', '--health-timeout=1s', '--health-retries=1']
    const tests = [
      ['late', 'sleep 60; true'],
      ['left', 'echo there; sleep 60 & true'],
    ] as const
    for (const [name, test] of tests) {
      await create(name, ...health, `--health-cmd=${test}`, 'busybox:1', 'sleep', '60')
      await docker(['start', name])
    }
    const late = await healthOf('late')
    assert.equal(late.Status, 'unhealthy')
    assert.equal(late.Log[0]?.Output, 'Health check exceeded timeout (1s)')
    const left = await healthOf('left')
    assert.equal(left.Status, 'healthy')
    assert.equal(left.Log[0]?.Output, 'there\n')
  })

  /** What comes to a client that attaches, until the container ends. */
  async function attach(name: string, query: string): Promise<string> {
    const connection = await open(engine.socket)
    connection.write(`POST /containers/${name}/attach?${query} HTTP/1.1\r\nHost: x\r\n\r\n`)
    let got = ''
    connection.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1')
    })
    await Promise.race([once(connection, 'end'), once(connection, 'close'), delay(2000)])
    connection.destroy()
    return got
  }

  it('show those who attach what they have printed, where that is kept', async () => {
    const print = ['busybox:1', 'sh', '-c', 'echo before; sleep 1; echo after']
    await create('kept', ...print)
    await create('lost', '--log-driver=none', ...print)
    for (const name of ['kept', 'lost']) await docker(['start', name])
    while ((await docker(['logs', 'kept'])) === '') await delay(10)
    assert.match(await attach('kept', 'logs=1&stream=1&stdout=1'), /before\n.*after\n$/s)
    assert.match(await attach('lost', 'logs=1&stream=1&stdout=1'), /^HTTP\/1\.1 501 .*reading/s)
    assert.equal((await ask(engine.socket, 'GET', '/_ping')).status, 200)
  })

  it('read the input of who starts them, each time', async () => {
    await create('reads', '-i', 'busybox:1', 'cat')
    for (const text of ['first', 'second', 'third']) {
      assert.equal(await docker(['start', '-ai', 'reads'], text), text)
    }
  })

  it('do not read the body of a request to attach', async () => {
    await create('typed', '-i', 'busybox:1', 'cat')
    const connection = await open(engine.socket)
    const body = '{"stream":true}'
    connection.write(
      [
        'POST /v1.41/containers/typed/attach?stream=1&stdin=1&stdout=1 HTTP/1.1',
        ...['Host: x', 'Connection: Upgrade', 'Upgrade: tcp', `Content-Length: ${body.length}`],
        `\r\n${body}`,
      ].join('\r\n'),
    )
    await once(connection, 'readable')
    await docker(['start', 'typed'])
    connection.end('typed\n')
    const text = Buffer.concat(await connection.toArray()).toString('latin1')
    const [head = '', ...frames] = text.split('\r\n\r\n')
    assert.match(head, /^HTTP\/1\.1 101 /)
    assert.deepEqual(frames, ['\u0001\0\0\0\0\0\0\u0006typed\n'])
  })

  it('have processes beside their own, whose pids are known after their end as well', async () => {
    await create('box', 'busybox:1', 'sleep', '60')
    await docker(['start', 'box'])
    const post = async (path: string, body: object): Promise<string> =>
      (await ask(engine.socket, 'POST', path, JSON.stringify(body))).body
    const { Id } = JSON.parse(await post('/containers/box/exec', { Cmd: ['sleep', '0.1'] }))
    const inspect = async () =>
      JSON.parse((await ask(engine.socket, 'GET', `/exec/${Id}/json`)).body)
    assert.equal((await inspect()).Pid, 0)
    await post(`/exec/${Id}/start`, { Detach: true })
    const { Pid } = await inspect()
    assert.ok(Pid > 0)
    while ((await inspect()).Running) await delay(10)
    assert.equal((await inspect()).Pid, Pid)
  })

  it('are made with what requests leave open', async () => {
    const settings = '{{json .HostConfig.PortBindings}} {{.HostConfig.NetworkMode}}'
    await docker(['create', '--name=open', '-p', '8005:80', 'busybox:1', 'true'])
    assert.equal(
      await docker(['inspect', '-f', settings, 'open']),
      '{"80/tcp":[{"HostIp":"","HostPort":"8005"}]} bridge',
    )
    const limits = '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}'
    await create('limited', '--memory=64m', 'busybox:1', 'true')
    const [, swap] = (await docker(['inspect', '-f', limits, 'limited'])).split(' ')
    // Where limits cannot be kept there are none.
    assert.ok(['134217728', '0'].includes(swap ?? ''), swap)
    if (swap === '0') return
    await assert.rejects(docker(['update', '--memory=256m', 'limited']), /update the memoryswap/)
    await docker(['update', '--memory=96m', 'limited'])
    assert.equal(await docker(['inspect', '-f', limits, 'limited']), '100663296 134217728')
  })

  it('say what they have taken when they are pruned', async () => {
    await create('wrote', 'busybox:1', 'sh', '-c', 'echo 12345 > /file')
    await docker(['start', '-a', 'wrote'])
    const prune = async () =>
      JSON.parse((await ask(engine.socket, 'POST', '/containers/prune')).body)
    const { ContainersDeleted, SpaceReclaimed } = await prune()
    assert.deepEqual([ContainersDeleted.length, SpaceReclaimed], [1, 6])
    assert.deepEqual(await prune(), { ContainersDeleted: null, SpaceReclaimed: 0 })
  })

  it('are stopped by the signals of real time that images name', async () => {
    const program = ['sh', '-c', 'trap "exit 7" 37; while :; do sleep 0.01; done']
    await create('stops', '--stop-signal=RTMIN+3', 'busybox:1', ...program)
    await docker(['start', 'stops'])
    await docker(['stop', '-t', '30', 'stops'])
    assert.equal(await docker(['inspect', '-f', '{{.State.ExitCode}}', 'stops']), '7')
    await docker(['start', 'stops'])
    await docker(['kill', '-s', 'SIGRTMIN+3', 'stops'])
    assert.equal(await docker(['wait', 'stops']), '7')
    await assert.rejects(docker(['kill', '-s', 'RTMIN+90', 'stops']), /nvalid signal/)
  })

  it('that are removed by force are gone with their names', async () => {
    for (let round = 0; round < 5; round++) {
      await docker([
        'run',
        '-d',
        '--rm',
        '--network=none',
        '--name=short',
        'busybox:1',
        'sleep',
        '60',
      ])
      await docker(['rm', '-f', 'short'])
    }
    assert.equal(await docker(['ps', '-aq']), '')
  })
})
