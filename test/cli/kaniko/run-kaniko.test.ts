import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../../../cli/main.ts'
import { MemoryRegistry } from '../../support/registry/index.ts'
import { fakeShell } from '../support/fake-shell.ts'

const DOCKERFILE = 'FROM scratch\nARG WHO=nobody\nLABEL who=$WHO\nCOPY file /\n'

interface Config {
  readonly config: { readonly Labels: Readonly<Record<string, string>> }
}

describe('kaniko', function () {
  this.timeout(60_000)
  let folder = ''
  let registry: MemoryRegistry
  const path = (name: string): string => join(folder, name)

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-kaniko-'))
    mkdirSync(path('context/sub'), { recursive: true })
    for (const at of ['context', 'context/sub']) {
      writeFileSync(path(`${at}/Dockerfile`), DOCKERFILE)
      writeFileSync(path(`${at}/file`), at)
    }
    registry = await MemoryRegistry.start()
  })
  after(async () => {
    await registry.close()
    rmSync(folder, { recursive: true })
  })

  async function run(
    argv: readonly string[],
    env: Readonly<Record<string, string>> = {},
    stdin = '',
  ) {
    const shell = fakeShell({ env: { TSBUILD_ROOT: path('store'), ...env }, stdin })
    const code = await runProgram(['kaniko', ...argv], shell)
    return { code, out: shell.out(), err: shell.err() }
  }

  const context = (): string => `--context=dir://${path('context')}`

  function configOf(name: string, tag: string): Config {
    const manifest = registry.manifest(name, tag)
    assert.ok(manifest !== undefined, `${name}:${tag} was not pushed`)
    const { config } = JSON.parse(manifest.bytes.toString())
    return JSON.parse(registry.blob(name, config.digest)?.toString() ?? '{}')
  }

  it('says what is missing, in its own words', async () => {
    const cases = [
      [['-c', '-', '--no-push'], /standard input, which is empty .*\nhint: .*--interactive/],
      [['--frobnicate'], /unknown flag.*\nhint: tsbuild kaniko --help lists the flags/],
      [['--context'], /needs a value.*\nhint: tsbuild kaniko --help lists the flags/],
      [[context()], /hint: write --destination/],
      [['-c', 'git://127.0.0.1:1/none', '--no-push'], /hint: .*\$GIT_TOKEN, or \$GIT_USERNAME/],
    ] as const
    for (const [argv, message] of cases) {
      const { code, err } = await run(argv)
      assert.notEqual(code, 0)
      assert.match(err, message)
    }
  })

  it('pushes to every destination, and writes what it pushed', async () => {
    const destinations = ['one:1', 'one:2', 'two'].map((name) => `${registry.host}/${name}`)
    const { code, err } = await run(
      [
        context(),
        ...destinations.flatMap((name) => ['--destination', name]),
        '--build-arg=WHO',
        '--label=more=yes',
        `--digest-file=${path('new/folder/digest')}`,
        `--image-name-with-digest-file=${path('names')}`,
        `--image-name-tag-with-digest-file=${path('tagged')}`,
        `--tar-path=${path('image.tar')}`,
      ],
      { WHO: 'me' },
    )
    assert.equal(code, 0, err)
    const digest = readFileSync(path('new/folder/digest'), 'utf8')
    assert.match(digest, /^sha256:[0-9a-f]{64}$/)
    const { host } = registry
    for (const [name, tag] of [
      ['one', '1'],
      ['one', '2'],
      ['two', 'latest'],
    ] as const) {
      assert.deepEqual(configOf(name, tag).config.Labels, { who: 'me', more: 'yes' })
      assert.ok(registry.manifest(name, digest) !== undefined)
    }
    assert.equal(
      readFileSync(path('names'), 'utf8'),
      ['one', 'one', 'two'].map((name) => `${host}/${name}@${digest}\n`).join(''),
    )
    assert.equal(
      readFileSync(path('tagged'), 'utf8'),
      ['one:1', 'one:2', 'two:latest'].map((name) => `${host}/${name}@${digest}\n`).join(''),
    )
    assert.match(err, new RegExp(`^Pushed ${host}/two@${digest}$`, 'm'))
    const listed = execFileSync('tar', ['-tf', path('image.tar')], { encoding: 'utf8' })
    assert.match(listed, /^manifest\.json$/m)
  })

  it('builds what comes on standard input', async () => {
    const name = `${registry.host}/stdin`
    const stdin = 'FROM scratch\nLABEL from=stdin\n'
    for (const place of ['-', 'tar://stdin']) {
      const argv = [`--context=${place}`, '--destination', name]
      const { code, err } = await run(argv, {}, stdin)
      assert.equal(code, 0, err)
      assert.deepEqual(configOf('stdin', 'latest').config.Labels, { from: 'stdin' })
      assert.match((await run([...argv, '--insecure-pull'], {}, stdin)).err, /\(USAGE\)$/m)
    }
  })

  it('builds a folder of an archive', async () => {
    const archive = path('context.tar.gz')
    execFileSync('tar', ['-czf', archive, '-C', path('context'), '.'])
    const output = ['--no-push', `--oci-layout-path=${path('layout')}`, '--context-sub-path=sub']
    const { code, err } = await run([`--context=tar://${archive}`, ...output])
    assert.equal(code, 0, err)
    const missing = await run([`--context=tar://${archive}`, '--no-push', '--context-sub-path=no'])
    assert.equal(missing.code, 1)
    assert.match(missing.err, /has no folder "no" \(CONTEXT_INVALID\)/)
    const empty = await run(['--context=tar:///nonexistent.tar', '--no-push'])
    assert.match(empty.err, /error building image: read \/nonexistent\.tar: ENOENT/)
  })

  it('looks results up with --cache only', async () => {
    const again = [context(), '--no-push', '-f', path('context/Dockerfile')]
    assert.doesNotMatch((await run(again)).err, /CACHED/)
    const { err } = await run([...again, '--cache=true'])
    assert.match(err, /CACHED/)
    assert.match(err, /^--cache uses the store of this machine/m)
  })

  it('says as much as it is asked to', async () => {
    const start = [context(), '--no-push', '--cleanup']
    const info = await run(start)
    assert.match(info.err, /^#1 .*COPY file/m)
    assert.match(info.err, /Skipping push to container registry/)
    const warn = await run([...start, '--verbosity=warn'])
    assert.equal(
      warn.err,
      '--cleanup has no effect: nothing is left behind that would have to be removed\n',
    )
    assert.equal((await run([...start, '-v', 'error'])).err, '')
  })

  it('logs in JSON, and with times', async () => {
    const start = ['--context=dir:///nonexistent', '--no-push', '--cleanup']
    const { err } = await run([...start, '--log-format=json'])
    const lines = err
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      lines.map(({ level }) => level),
      ['warning', 'error', 'error'],
    )
    assert.match(lines[1]?.msg, /^ERROR: error building image: .*\(CONTEXT_INVALID\)$/)
    for (const { time } of lines) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    const timed = await run([...start, '--log-timestamp', '--log-format=text'])
    for (const line of timed.err.trim().split('\n')) assert.match(line, /^\d{4}-.*Z ./)
  })

  it('ends with the exit code of a RUN', async () => {
    writeFileSync(path('context/busybox'), readFileSync('/bin/busybox'))
    const dockerfile = path('failing')
    const steps = [
      'FROM scratch',
      'COPY --chmod=755 busybox /bin/',
      'RUN ["busybox", "sh", "-c", "exit 42"]',
    ]
    writeFileSync(dockerfile, steps.join('\n'))
    const { code, err } = await run([context(), '--no-push', '-f', dockerfile])
    assert.equal(code, 42, err)
    assert.match(err, /^ERROR: error building image: .*exit code: 42 \(STEP_FAILED\)$/m)
  })

  it('says that it was the push that failed', async () => {
    const { code, err } = await run([context(), '-d', '127.0.0.1:1/a'])
    assert.equal(code, 1)
    assert.match(err, /^ERROR: error pushing image: /m)
  })

  it('has a version, and help', async () => {
    assert.match((await run(['version'])).out, /^tsbuild \d+\.\d+\.\d+\n$/)
    const { out } = await run(['--help'])
    assert.match(out, /^ +-d, --destination NAME/m)
    assert.match(out, /^ +--cleanup +Nothing is left/m)
  })

  describe('with a registry of an unknown certificate', () => {
    let secure: MemoryRegistry
    before(async () => {
      const [key, cert] = [path('key'), path('cert')]
      const subject = ['-subj', '/CN=localhost', '-days', '2']
      execFileSync(
        'openssl',
        ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, '-keyout', key, '-out', cert],
        { stdio: 'pipe' },
      )
      const tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
      secure = await MemoryRegistry.start({ tls })
    })
    after(() => secure.close())

    it('pushes when that is allowed', async () => {
      const start = [context(), '-d', `${secure.host}/app`]
      for (const flag of [
        '--insecure',
        '--skip-tls-verify',
        `--insecure-registry=${secure.host}`,
        `--skip-tls-verify-registry=${secure.host}`,
      ]) {
        const { code, err } = await run([...start, flag])
        assert.equal(code, 0, `${flag}: ${err}`)
      }
    })

    it('pulls when that is allowed', async () => {
      const dockerfile = path('based')
      writeFileSync(dockerfile, `FROM ${secure.host}/app\n`)
      const start = [context(), '--no-push', '-f', dockerfile]
      assert.equal((await atOnce(() => run([...start, '--insecure']))).code, 1)
      for (const flag of ['--insecure-pull', '--skip-tls-verify-pull']) {
        const { code, err } = await run([...start, flag])
        assert.equal(code, 0, `${flag}: ${err}`)
      }
    })
  })
})

/** Without the time that is waited, by chance, before requests that have failed are sent again. */
async function atOnce<T>(work: () => Promise<T>): Promise<T> {
  const { random } = Math
  Math.random = () => 0
  try {
    return await work()
  } finally {
    Math.random = random
  }
}
