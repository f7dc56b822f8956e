import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseFlags } from '../../../cli/arguments/flags.ts'
import { KANIKO_FLAGS } from '../../../cli/kaniko/kaniko-flags.ts'
import { type KanikoRequest, parseKaniko } from '../../../cli/kaniko/parse-kaniko.ts'

type Environment = Readonly<Record<string, string>>

/** What is asked for, with a destination unless the arguments say where the image goes. */
function parse(argv: readonly string[], env: Environment = {}): KanikoRequest {
  const isComplete = argv.some((word) => /^(?:-d|--destination|--no-push(?:=|$))/.test(word))
  const words = isComplete ? argv : ['-d', 'h:1/app', ...argv]
  return parseKaniko(parseFlags(words, KANIKO_FLAGS), env)
}

/** Every flag of kaniko 1.24: those that its help lists, and those that it hides. */
const ALL = `
  bucket build-arg cache cache-copy-layers cache-dir cache-repo cache-run-layers cache-ttl cleanup
  compressed-caching compression compression-level context context-sub-path custom-platform
  customPlatform destination digest-file dockerfile force force-build-metadata git help ignore-path
  ignore-var-run image-download-retry image-fs-extract-retry image-name-tag-with-digest-file
  image-name-with-digest-file insecure insecure-pull insecure-registry kaniko-dir label log-format
  log-timestamp no-push no-push-cache oci-layout-path push-ignore-immutable-tag-errors push-retry
  registry-certificate registry-client-cert registry-map registry-mirror reproducible
  single-snapshot skip-default-registry-fallback skip-push-permission-check skip-tls-verify
  skip-tls-verify-pull skip-tls-verify-registry skip-unused-stages snapshot-mode snapshotMode
  tar-path tarPath target use-new-run verbosity whitelist-var-run
`
  .trim()
  .split(/\s+/)

const push = { type: 'registry' } as const

/** Arguments, and what becomes of them. */
const EFFECTS: readonly (readonly [readonly string[], Partial<KanikoRequest['options']>])[] = [
  [['--target', 'a'], { target: 'a' }],
  [['--build-arg', 'A=b=c', '--build-arg=B='], { buildArgs: { A: 'b=c', B: '' } }],
  [['--build-arg', 'HERE', '--build-arg', 'UNSET'], { buildArgs: { HERE: 'x y', UNSET: '' } }],
  [['--label', 'a=b', '--label', 'c=d=e'], { labels: { a: 'b', c: 'd=e' } }],
  [['--custom-platform=linux/arm64'], { platform: 'linux/arm64' }],
  [['--customPlatform=linux/arm64'], { platform: 'linux/arm64' }],
  [['--context-sub-path', 'a/b'], { contextFolder: 'a/b' }],
  [['--reproducible'], { reproducible: true }],
  [['-d', 'a/b', '--destination', 'c/d:1'], { tags: ['a/b', 'c/d:1'], outputs: [push] }],
  [['--no-push'], { tags: [], outputs: [{ type: 'store' }] }],
  [['--no-push', '--tar-path=t'], { outputs: [{ type: 'docker', dest: 't' }] }],
  [['--no-push', '--tarPath=t'], { outputs: [{ type: 'docker', dest: 't' }] }],
  [['--tar-path=t'], { outputs: [{ type: 'docker', dest: 't' }, push] }],
  [['--oci-layout-path=o'], { outputs: [{ type: 'oci', dest: 'o', tar: false }, push] }],
  [['--compression=zstd'], { outputs: [{ ...push, compression: 'zstd' }] }],
  [['--compression', 'gzip'], { outputs: [{ ...push, compression: 'gzip' }] }],
  [['--cache'], { noCache: false }],
  [['--cache=TRUE'], { noCache: false }],
  [['--cache=false'], { noCache: true }],
  [[], { noCache: true }],
  [
    ['--cache', '--cache-repo=h/c'],
    {
      cacheFrom: [{ type: 'registry', ref: 'h/c:tsbuild' }],
      cacheTo: [{ type: 'registry', ref: 'h/c:tsbuild', mode: 'max', ignoreError: true }],
    },
  ],
  [
    ['--cache', '--cache-repo=oci:/c', '--no-push-cache'],
    { cacheFrom: [{ type: 'local', src: '/c' }] },
  ],
  [['--compression-level=9'], { outputs: [{ ...push, compressionLevel: 9 }] }],
  [['--registry-mirror=m:5000', '--registry-mirror='], { registryMirrors: ['docker.io=m:5000'] }],
  [['--registry-map=a=b;c=d/e'], { registryMirrors: ['a=b', 'c=d/e'] }],
  [['--registry-certificate=h=/c'], { registryAuthorities: ['/c'] }],
  [
    ['--insecure-registry=a', '--skip-tls-verify-registry=b:1'],
    { insecureRegistries: ['a', 'b:1'] },
  ],
]

/** Flags that do nothing, as pipelines write them. */
const IDLE: readonly string[] = [
  '--cleanup',
  '--single-snapshot',
  '--snapshot-mode=redo',
  '--snapshotMode=time',
  '--use-new-run',
  '--force',
  '--force-build-metadata',
  '--ignore-path=/proc',
  '--ignore-var-run=false',
  '--whitelist-var-run',
  '--skip-unused-stages=true',
  '--cache-ttl=6h',
  '--cache-dir=/cache',
  '--cache-copy-layers',
  '--cache-run-layers=true',
  '--compressed-caching=false',
  '--push-retry=3',
  '--image-download-retry=3',
  '--image-fs-extract-retry=3',
  '--skip-push-permission-check',
  '--skip-default-registry-fallback',
]

/** What is refused, and the form of it that asks for nothing. */
const REFUSED: readonly (readonly [string, string])[] = [
  ['--registry-client-cert=h=/c,/k', '--registry-client-cert='],
  ['--push-ignore-immutable-tag-errors', '--push-ignore-immutable-tag-errors=false'],
  ['--bucket=b', '--bucket='],
]

describe('the command line of kaniko', () => {
  it('sends no results that are not to be sent, nor without --cache', () => {
    const argv = ['--cache', '--cache-repo=h/c', '--no-push-cache']
    for (const options of [parse(argv).options, parse(['--cache-repo=h/c']).options]) {
      assert.equal('cacheTo' in options, false)
    }
    assert.equal('cacheFrom' in parse(['--cache-repo=h/c']).options, false)
  })

  it('has every flag', () => {
    assert.deepEqual(KANIKO_FLAGS.map(({ name }) => name).toSorted(), ALL)
  })

  for (const [argv, expected] of EFFECTS) {
    it(`has the effect of ${argv.join(' ') || 'nothing'}`, () => {
      const { options, notices } = parse(argv, { HERE: 'x y' })
      const found = Object.keys(expected).map((key) => [key, options[key as keyof typeof options]])
      assert.deepEqual(Object.fromEntries(found), expected)
      assert.deepEqual(
        notices.filter((line) => line.includes('no effect')),
        [],
      )
    })
  }

  for (const flag of IDLE) {
    it(`says that ${flag} has no effect`, () => {
      const { options, notices } = parse([flag])
      const [name = ''] = flag.split('=')
      assert.deepEqual(options, parse([]).options)
      assert.equal(notices.length, 1)
      assert.match(notices[0] ?? '', new RegExp(`^${name} has no effect: .`))
    })
  }

  it('says so of all that have none', () => {
    const idle = KANIKO_FLAGS.filter(({ notice }) => notice !== undefined)
    assert.deepEqual(
      idle.map(({ name }) => `--${name}`),
      IDLE.map((flag) => flag.replace(/=.*/, '')),
    )
  })

  for (const [flag, nothing] of REFUSED) {
    it(`refuses ${flag}`, () => {
      assert.throws(() => parse([flag]), { code: 'UNSUPPORTED' })
      assert.deepEqual(parse([nothing]).options, parse([]).options)
    })
  }

  it('refuses all that is to come', () => {
    const later = KANIKO_FLAGS.filter(({ refusal }) => refusal !== undefined)
    assert.deepEqual(
      later.map(({ name }) => `--${name}`),
      REFUSED.map(([flag]) => flag.replace(/=.*/, '')),
    )
  })

  it('takes mirrors of the environment, too', () => {
    const env = { KANIKO_REGISTRY_MIRROR: 'a,b/hub', KANIKO_REGISTRY_MAP: 'q.io=c;r.io=d/p' }
    const { registryMirrors } = parse(['--registry-mirror=e'], env).options
    const hub = ['docker.io=a', 'docker.io=b/hub', 'docker.io=e']
    assert.deepEqual(registryMirrors, ['q.io=c', 'r.io=d/p', ...hub])
  })

  it('needs a destination, or --no-push', () => {
    const refused = (argv: readonly string[], env: Environment = {}): void =>
      assert.throws(() => parseKaniko(parseFlags(argv, KANIKO_FLAGS), env), { code: 'USAGE' })
    refused([])
    refused(['--no-push=false'])
    refused(['--no-push'], { KANIKO_NO_PUSH: 'false' })
    refused(['-d', 'a', 'superfluous'])
    refused(['--no-push', '--image-name-with-digest-file=f'])
    assert.deepEqual(parse(['-d', 'a'], { KANIKO_NO_PUSH: '1' }).options.outputs, [
      { type: 'store' },
    ])
  })

  it('reads whose registries are insecure', () => {
    const none = { bases: false, destinations: false }
    assert.deepEqual(parse([]).insecure, none)
    for (const flag of ['--insecure', '--skip-tls-verify']) {
      assert.deepEqual(parse([flag]).insecure, { ...none, destinations: true })
    }
    for (const flag of ['--insecure-pull', '--skip-tls-verify-pull']) {
      assert.deepEqual(parse([flag]).insecure, { ...none, bases: true })
    }
  })

  it('takes credentials from the folder of kaniko', () => {
    assert.equal(parse([]).configDir, '/kaniko/.docker')
    assert.equal(parse([], { KANIKO_DIR: '/k' }).configDir, '/k/.docker')
    assert.equal(parse([], { DOCKER_CONFIG: '/d', KANIKO_DIR: '/k' }).configDir, '/d')
    assert.equal(parse(['--kaniko-dir=/o'], { DOCKER_CONFIG: '/d' }).configDir, '/o/.docker')
  })

  it('reads what is logged', () => {
    assert.deepEqual(parse([]).log, { level: 'info', format: 'color', timestamps: false })
    const argv = ['-v', 'WARN', '--log-format=json', '--log-timestamp']
    assert.deepEqual(parse(argv).log, { level: 'warning', format: 'json', timestamps: true })
    assert.throws(() => parse(['--verbosity=loud']), { code: 'USAGE' })
    assert.throws(() => parse(['--log-format=xml']), { code: 'USAGE' })
  })

  it('names the files that get the digest', () => {
    const { digestFiles } = parse([
      '--digest-file=a',
      '--image-name-with-digest-file=b',
      '--image-name-tag-with-digest-file=c',
    ])
    const names = ['h:1/app:2', 'docker.io/library/x:latest']
    assert.deepEqual(
      digestFiles.map(({ path, text }) => [path, text('sha256:0', names)]),
      [
        ['a', 'sha256:0'],
        ['b', 'h:1/app@sha256:0\ndocker.io/library/x@sha256:0\n'],
        ['c', 'h:1/app:2@sha256:0\ndocker.io/library/x:latest@sha256:0\n'],
      ],
    )
    assert.throws(() => parse(['--digest-file=https://h/f']), { code: 'UNSUPPORTED' })
  })

  describe('names a Dockerfile', () => {
    let folder = ''
    let before = ''
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'tsbuild-kaniko-'))
      before = process.cwd()
      process.chdir(folder)
    })
    afterEach(() => {
      process.chdir(before)
      rmSync(folder, { recursive: true })
    })

    const found = (...argv: readonly string[]) => {
      const { options, besidePath } = parse(argv)
      return { file: options.file, besidePath }
    }

    it('of the context, unless there is one here', () => {
      assert.deepEqual(found('-c', '/c'), { file: undefined, besidePath: undefined })
      assert.equal(found('-c', '/c', '-f', 'D').file, '/c/D')
      assert.equal(found('-c', '/c', '-f', 'D', '--context-sub-path=s').file, '/c/s/D')
      writeFileSync('D', '')
      assert.equal(found('-c', '/c', '-f', 'D').file, 'D')
      writeFileSync('Dockerfile', '')
      assert.equal(found('-c', '/c').file, 'Dockerfile')
    })

    it('beside a context that is fetched, or in it', () => {
      assert.deepEqual(found('-c', '-', '-f', 'D'), { file: 'D', besidePath: undefined })
      writeFileSync('D', '')
      assert.deepEqual(found('-c', '-', '-f', 'D'), { file: undefined, besidePath: 'D' })
      assert.equal(found('-c', '-', '-f', 'https://h/D').file, 'https://h/D')
    })
  })
})
