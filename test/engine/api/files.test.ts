import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { capture, type Outcome, run, temporaryDirectory, until } from '../../support/peers/index.ts'
import { header } from '../../support/raw-tar/index.ts'
import { answerTo, ask, begin } from '../support/socket-http.ts'
import { importBusybox } from './support/busybox-image.ts'
import { type ServedEngine, serveHere } from './support/served-engine.ts'

/** A folder with files. */
const DATA = `
echo hello > root/data/file; chown 5:6 root/data/file; ln -s /data root/link
head -c 20000000 /dev/urandom > root/data/big`

describe('files of containers over the API', function () {
  this.timeout(60_000)
  const folder = temporaryDirectory('api-files')
  let engine: ServedEngine

  const tryDocker = (...args: readonly string[]): Promise<Outcome> =>
    capture('/usr/bin/docker', args, { env: { DOCKER_HOST: `unix://${engine.socket}` } })
  const docker = async (...args: readonly string[]): Promise<string> =>
    (await run('/usr/bin/docker', args, { env: { DOCKER_HOST: `unix://${engine.socket}` } })).stdout

  before(async () => {
    engine = await serveHere()
    await importBusybox(engine.socket, 'files:1', DATA)
    await docker('run', '-d', '--network=none', '--name=runs', 'files:1', 'sleep', '1000')
  })
  after(async () => {
    await engine[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  async function create(name: string, ...options: readonly string[]): Promise<void> {
    await docker(
      'create',
      '--network=none',
      `--name=${name}`,
      ...options,
      'files:1',
      'sleep',
      '1000',
    )
  }

  it('go in and out of containers that run, have run and never have', async () => {
    await create('new')
    await create('ended')
    await docker('start', 'ended')
    await docker('stop', '-t', '0', 'ended')
    writeFileSync(folder.file('in'), 'from outside')
    mkdirSync(folder.file('tree/below'), { recursive: true })
    writeFileSync(folder.file('tree/below/file'), 'deep')
    for (const name of ['new', 'runs', 'ended']) {
      await docker('cp', folder.file('in'), `${name}:/data/in`)
      await docker('cp', folder.file('tree'), `${name}:/link`)
      await docker('cp', `${name}:/data`, folder.file(`out-${name}`))
      const read = (path: string): string =>
        readFileSync(folder.file(`out-${name}/${path}`), 'utf8')
      assert.equal(read('in'), 'from outside')
      assert.equal(read('file'), 'hello\n')
      assert.equal(read('tree/below/file'), 'deep')
    }
    assert.equal(await docker('exec', 'runs', 'cat', '/data/tree/below/file'), 'deep')
    await docker('start', 'new')
    assert.equal(await docker('exec', 'new', 'cat', '/data/in'), 'from outside')
    await docker('rm', '-f', 'new', 'ended')
  })

  it('belong to the user of the container where that is asked for', async () => {
    await create('owned', '--user=user')
    writeFileSync(folder.file('mine'), 'x')
    await docker('cp', '-a', folder.file('mine'), 'owned:/tmp/mine')
    const { stdout } = await run('sh', [
      '-c',
      `${dockerCommand()} cp owned:/tmp/mine - | tar -tvf - --numeric-owner`,
    ])
    assert.match(stdout, / 1000\/1001 /)
    await docker('rm', 'owned')
  })

  function dockerCommand(): string {
    return `/usr/bin/docker -H unix://${engine.socket}`
  }

  it('that are mounted or made in every container are no changes', async () => {
    await docker(
      'run',
      '--network=none',
      '--name=plain',
      'files:1',
      'sh',
      '-c',
      'ls /dev /proc /sys',
    )
    assert.equal(await docker('diff', 'plain'), '')
    await docker(
      'run',
      '--network=none',
      '--name=changed',
      'files:1',
      'sh',
      '-c',
      'rm /data/file; echo x > /data/new',
    )
    const lines = (await docker('diff', 'changed')).trim().split('\n')
    assert.deepEqual(lines, ['C /data', 'D /data/file', 'A /data/new'])
    await docker('export', '-o', folder.file('export.tar'), 'changed')
    const { stdout } = await run('tar', ['-tf', folder.file('export.tar')])
    const names = stdout.trim().split('\n')
    for (const name of ['.dockerenv', 'dev/', 'proc/', 'etc/hosts', 'data/new']) {
      assert.ok(names.includes(name), name)
    }
    assert.ok(!names.includes('data/file'))
    await docker('rm', 'plain', 'changed')
  })

  it('become an image that runs', async () => {
    await docker('exec', 'runs', 'sh', '-c', 'echo kept > /data/kept')
    const change = ['-c', 'CMD cat /data/kept', '-c', 'ENV A=b']
    const id = (await docker('commit', '-m', 'why', '-a', 'me', ...change, 'runs', 'made:2')).trim()
    assert.equal(await docker('run', '--rm', '--network=none', 'made:2'), 'kept\n')
    const [image] = JSON.parse(await docker('inspect', 'made:2'))
    assert.deepEqual([image.Id, image.Comment, image.Author], [id, 'why', 'me'])
    assert.deepEqual(image.Config.Env, ['A=b'])
    const { status } = await ask(engine.socket, 'POST', '/commit?container=nope')
    assert.equal(status, 404)
    const refused = await tryDocker('commit', '-c', 'RUN x', 'runs')
    assert.match(refused.stderr, /RUN is not a valid change command/)
    assert.equal(
      (await docker('ps', '--filter=name=runs', '--format={{.Status}}')).includes('Paused'),
      false,
    )
  })

  it('take room, as lists and documents say', async () => {
    const [, size = ''] =
      /SizeRw":(\d+)/.exec((await ask(engine.socket, 'GET', '/containers/json?size=1')).body) ?? []
    assert.ok(Number(size) > 0)
    const inspected = JSON.parse(
      (await ask(engine.socket, 'GET', '/containers/runs/json?size=1')).body,
    )
    assert.ok(inspected.SizeRootFs > 20_000_000 && inspected.SizeRw >= Number(size))
    const plain = JSON.parse((await ask(engine.socket, 'GET', '/containers/runs/json')).body)
    assert.equal('SizeRw' in plain, false)
  })

  it('are not written where the container must not, nor to what is no directory', async () => {
    await create('still', '--read-only')
    const tar = Buffer.alloc(0)
    const put = async (name: string, path: string): Promise<readonly [number, string]> => {
      const url = `/containers/${name}/archive?path=${path}`
      const { status, body } = await ask(engine.socket, 'PUT', url, tar)
      return [status, JSON.parse(body || '{}').message]
    }
    assert.deepEqual(await put('still', '/data'), [403, 'container rootfs is marked read-only'])
    assert.deepEqual(await put('runs', '/data/file'), [400, 'extraction point is not a directory'])
    assert.deepEqual(await put('runs', '/nope'), [
      404,
      'Could not find the file /nope in container runs',
    ])
    assert.deepEqual(await put('runs', ''), [400, 'bad parameter: path cannot be empty'])
    assert.deepEqual(await put('runs', '/data'), [200, undefined])
    await docker('rm', 'still')
  })

  it('are never those of the host, whatever a running container does', async () => {
    writeFileSync(folder.file('secret'), 'a secret of the host')
    const script = `mkdir /d; echo inside > /d/secret; ln -s ${folder.path} /l; mv /l /d2; echo ready
      while :; do mv /d /x; mv /d2 /d; mv /d /d2; mv /x /d; done`
    await docker('run', '-d', '--network=none', '--name=swaps', 'files:1', 'sh', '-c', script)
    let inside = 0
    for (const since = performance.now(); inside < 10 || performance.now() < since + 1500; ) {
      const answers = await Promise.all(
        ['/d', '/d/secret', '/d/'].map((path) =>
          ask(engine.socket, 'GET', `/containers/swaps/archive?path=${path}`),
        ),
      )
      for (const { status, body } of answers) {
        assert.ok(!body.includes('a secret'), body.slice(0, 1000))
        if (status === 200 && body.includes('inside')) inside += 1
      }
    }
    await docker('rm', '-f', 'swaps')
  })

  describe('on connections that stall or break', () => {
    it('do not keep a container from starting while they are read', async () => {
      await create('waits')
      const sent = begin(engine.socket, 'GET', '/containers/waits/archive?path=/data/big')
      const response = await answerTo(sent)
      assert.equal(response.statusCode, 200)
      await docker('start', 'waits')
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      assert.ok(Buffer.concat(chunks).length > 20_000_000)
      sent.destroy()
      await docker('rm', '-f', 'waits')
    })

    it('are whole before the container starts while they are written', async () => {
      await create('fills')
      const size = 3_000_000
      const head = header({ name: 'late', size })
      const sent = begin(engine.socket, 'PUT', '/containers/fills/archive?path=/data')
      const answered = once(sent, 'response')
      sent.write(head)
      sent.write(Buffer.alloc(size / 2, 'x'))
      await delay(300)
      let isStarted = false
      const starting = docker('start', 'fills').then(() => {
        isStarted = true
      })
      await delay(300)
      assert.equal(isStarted, false)
      sent.end(Buffer.concat([Buffer.alloc(size / 2, 'x'), Buffer.alloc(512 - (size % 512))]))
      const [response] = await answered
      assert.equal(response.statusCode, 200)
      await starting
      assert.equal(
        (await docker('exec', 'fills', 'ls', '-l', '/data/late')).split(/ +/)[4],
        `${size}`,
      )
      await docker('rm', '-f', 'fills')
    })

    it('are no success where they break off, and leave nothing open', async () => {
      await create('broken')
      const before = openDescriptors()
      for (const name of ['broken', 'runs']) {
        const sent = begin(engine.socket, 'PUT', `/containers/${name}/archive?path=/data`)
        sent.on('error', () => undefined)
        sent.write(header({ name: 'half', size: 10_000_000 }))
        sent.write(Buffer.alloc(1_000_000))
        await delay(100)
        sent.destroy()
        const path = `/containers/${name}/archive?path=/data/big`
        const reading = begin(engine.socket, 'GET', path)
        const response = await answerTo(reading)
        response.on('error', () => undefined)
        reading.destroy()
      }
      await until(() => openDescriptors() <= before)
      await docker('start', 'broken')
      await docker('rm', '-f', 'broken')
    })
  })
})

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length
}
