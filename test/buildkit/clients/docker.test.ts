import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { type Engine, startRootEngine } from '../../engine/clients/support/engine.ts'
import { processesOf, untilProcesses } from '../../suites/sandbox/host-processes.ts'
import {
  capture,
  type Outcome,
  type TemporaryDirectory,
  temporaryDirectory,
  untilEmpty,
} from '../../support/peers/index.ts'

/** Debian's docker command builds by BuildKit: the engine says that it has one. */
describe('docker build against an engine', function () {
  this.timeout(120_000)
  let engine: Engine
  let place: TemporaryDirectory
  let context: string

  before(async () => {
    engine = await startRootEngine()
  })
  after(async () => {
    await engine[Symbol.asyncDispose]()
  })
  beforeEach(() => {
    place = temporaryDirectory('docker-build')
    context = place.file('context')
    mkdirSync(context)
  })
  afterEach(() => place[Symbol.dispose]())

  function docker(...words: readonly string[]): Promise<Outcome> {
    const env = {
      ...{ DOCKER_HOST: `unix://${engine.socket}`, DOCKER_CONFIG: place.file('config') },
      ...{ HOME: place.path, BUILDKIT_PROGRESS: 'plain' },
    }
    return capture('/usr/bin/docker', words, { env, timeoutMs: 60_000 })
  }

  function write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(`${context}/${name}`.replace(/\/[^/]*$/, ''), { recursive: true })
      writeFileSync(`${context}/${name}`, text)
    }
  }

  const build = (...words: readonly string[]): Promise<Outcome> =>
    docker('build', ...words, context)

  it('makes an image that runs, of arguments, secrets and what the context has', async () => {
    write({
      Dockerfile: `
        FROM busybox
        ARG NAME
        COPY kept /
        RUN --mount=type=secret,id=token echo "$NAME $(cat /run/secrets/token)" >/said
        CMD ["cat", "/said", "/kept"]
      `,
      kept: 'kept\n',
    })
    writeFileSync(place.file('token'), 'hidden')
    const built = await build(
      ...['-t', 'made:1', '--build-arg', 'NAME=name'],
      ...['--secret', `id=token,src=${place.file('token')}`],
    )
    assert.equal(built.status, 0, built.stderr)
    const { stdout } = await docker('run', '--rm', 'made:1')
    assert.equal(stdout, 'name hidden\nkept\n')
  })

  it('is sent only what has changed', async () => {
    write({ Dockerfile: 'FROM scratch\nCOPY . /\n', large: 'x'.repeat(400_000), small: 'one' })
    const sizeOf = ({ stderr }: Outcome): string =>
      /load build context[\s\S]*?transferring context: ([0-9.]+[kM]?B)/.exec(stderr)?.[1] ?? stderr
    assert.match(sizeOf(await build()), /^40\d\.\d+kB$/)
    write({ small: 'two' })
    assert.match(sizeOf(await build()), /^\d+B$/)
  })

  it('gets nothing that the ignore file leaves out', async () => {
    write({
      Dockerfile: 'FROM busybox\nCOPY . /all\nCMD ["find", "/all", "-type", "f"]\n',
      '.dockerignore': 'left\n*.out\n!kept.out\n',
      ...{ 'left/file': '', 'one.out': '', 'kept.out': '', 'sub/file': '' },
    })
    assert.equal((await build('-t', 'ignoring')).status, 0)
    const { stdout } = await docker('run', '--rm', 'ignoring')
    assert.deepEqual(stdout.trim().split('\n').toSorted(), [
      ...['/all/.dockerignore', '/all/Dockerfile', '/all/kept.out', '/all/sub/file'],
    ])
  })

  it('writes files to a folder of the client', async () => {
    write({ Dockerfile: 'FROM scratch\nCOPY file /folder/\n', file: 'text' })
    const dest = place.file('out')
    const built = await build('--output', `type=local,dest=${dest}`)
    assert.equal(built.status, 0, built.stderr)
    assert.deepEqual(readdirSync(dest), ['folder'])
    assert.equal(readFileSync(`${dest}/folder/file`, 'utf8'), 'text')
  })

  it('says which step has failed', async () => {
    write({ Dockerfile: 'FROM busybox\nRUN echo before && exit 7\n' })
    const { status, stderr } = await build()
    assert.equal(status, 1)
    assert.match(stderr, /before/)
    assert.match(stderr, /process "\/bin\/sh -c echo before && exit 7" .* exit code: 7/)
  })

  it('reads no file of the machine for a client whose Dockerfile is a link', async () => {
    symlinkSync('/etc/passwd', `${context}/Dockerfile`)
    const { status, stderr } = await build()
    assert.equal(status, 1)
    assert.doesNotMatch(stderr, /root:/)
  })

  it('follows a link to a Dockerfile inside the folder', async () => {
    write({ real: 'FROM scratch\nCOPY real /\n' })
    symlinkSync('real', `${context}/Dockerfile`)
    const { status, stderr } = await build()
    assert.equal(status, 0, stderr)
  })

  it('ends its steps when the client goes', async () => {
    const token = '7654321'
    write({ Dockerfile: `FROM busybox\nRUN sleep ${token}\n` })
    const building = capture('timeout', ['-s', 'INT', '5', '/usr/bin/docker', 'build', context], {
      env: { DOCKER_HOST: `unix://${engine.socket}`, BUILDKIT_PROGRESS: 'plain' },
    })
    await untilProcesses(`sleep ${token}`, 1)
    assert.notEqual((await building).status, 0)
    assert.deepEqual(await untilEmpty(() => processesOf(`sleep ${token}`), 3000), [])
  })
})
