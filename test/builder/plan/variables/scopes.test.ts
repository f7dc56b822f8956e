// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are a Dockerfile's variables
import assert from 'node:assert/strict'
import { type ExecVertex, globalScope, unusedBuildArgs } from '#builder/plan'
import { parsePlatform } from '#core'
import { parseDockerfile } from '#parser'
import { execs, historyOf, type PlanRequest, plan } from '../support.ts'

/** Dockerfiles whose last RUN sees the environment. */
const CASES: readonly {
  readonly what: string
  readonly text: readonly string[]
  readonly buildArgs?: Readonly<Record<string, string>>
  readonly env: readonly string[]
}[] = [
  {
    what: 'a default is expanded where it is used',
    text: ['FROM base', 'ENV e=1', 'ARG a=$e', 'ENV e=2'],
    env: ['e=2', 'a=1'],
  },
  {
    what: 'a build argument is taken as it is, and its default not looked at',
    text: ['FROM base', 'ARG a=${x?never}'],
    buildArgs: { a: '$b "c"' },
    env: ['a=$b "c"'],
  },
  {
    what: 'an empty build argument is a value',
    text: ['FROM base', 'ARG a=1'],
    buildArgs: { a: '' },
    env: ['a='],
  },
  { what: 'without any value there is no variable', text: ['FROM base', 'ARG a'], env: [] },
  {
    what: 'a second declaration without a value changes nothing',
    text: ['FROM base', 'ARG a=1', 'ARG a'],
    env: ['a=1'],
  },
  {
    what: 'a second declaration with a value counts from there on',
    text: ['FROM base', 'ARG a=1', 'ARG b=$a', 'ARG a=2'],
    env: ['a=2', 'b=1'],
  },
  {
    what: 'a global argument is not seen before it is declared again',
    text: ['ARG g=1', 'FROM base', 'ARG a=${g:-none}', 'ARG g', 'ARG b=$g'],
    env: ['a=none', 'g=1', 'b=1'],
  },
  {
    what: 'a default of the stage wins over the global one',
    text: ['ARG g=1', 'FROM base', 'ARG g=2'],
    env: ['g=2'],
  },
  {
    what: 'global defaults see the global arguments before them, also those of their line',
    text: ['ARG a=1 b=$a', 'ARG c=$b$TARGETOS', 'FROM base', 'ARG b', 'ARG c'],
    env: ['b=1', 'c=1linux'],
  },
  {
    what: 'a global argument takes its build argument, and those behind it see that',
    text: ['ARG a=1', 'ARG b=$a', 'FROM base', 'ARG b'],
    buildArgs: { a: '2' },
    env: ['b=2'],
  },
  {
    what: 'a global declaration without a value hides nothing',
    text: ['ARG a=1', 'ARG a', 'FROM base', 'ARG a'],
    env: ['a=1'],
  },
  {
    what: 'several arguments of one line see those before them',
    text: ['FROM base', 'ENV a=0', 'ARG b=$a a=1 c=$a-$d d=3 a=2 e=$a'],
    buildArgs: { d: '4' },
    env: ['a=2', 'b=0', 'c=1-', 'd=4', 'e=2'],
  },
  {
    what: 'ENV wins over an ARG before it',
    text: ['FROM base', 'ARG a=arg', 'ENV a=env'],
    env: ['a=env'],
  },
  {
    what: 'an ARG with a value wins over an ENV before it',
    text: ['FROM base', 'ENV a=env', 'ARG a=arg'],
    env: ['a=arg'],
  },
  {
    what: 'an ARG without a value leaves ENV alone',
    text: ['FROM base', 'ENV a=env', 'ARG a'],
    env: ['a=env'],
  },
  {
    what: 'children inherit arguments and their values',
    text: ['FROM base AS p', 'ARG a=1', 'FROM p', 'ARG b=$a'],
    env: ['a=1', 'b=1'],
  },
  {
    what: 'other stages do not',
    text: ['FROM base AS p', 'ARG a=1', 'FROM base', 'COPY --from=p / /', 'ARG b=$a-'],
    env: ['b=-'],
  },
  {
    what: 'platform arguments have to be declared',
    text: ['FROM base', 'ARG a=$TARGETOS-', 'ARG TARGETOS', 'ARG TARGETVARIANT'],
    env: ['a=-', 'TARGETOS=linux', 'TARGETVARIANT='],
  },
  {
    what: 'platform arguments can be given, but a default wins over the platform',
    text: ['FROM base', 'ARG TARGETOS', 'ARG TARGETARCH=mine', 'ARG BUILDOS=mine'],
    buildArgs: { TARGETOS: 'given', BUILDOS: 'given' },
    env: ['TARGETOS=given', 'TARGETARCH=mine', 'BUILDOS=given'],
  },
  {
    what: 'the stage that is built is known by its name',
    text: ['FROM base AS Last', 'ARG TARGETSTAGE'],
    env: ['TARGETSTAGE=last'],
  },
  {
    what: 'the last stage may have no name',
    text: ['FROM base', 'ARG TARGETSTAGE'],
    env: ['TARGETSTAGE=default'],
  },
  {
    what: 'control arguments stay outside',
    text: ['FROM base', 'ARG a=$SOURCE_DATE_EPOCH$BUILDKIT_SYNTAX-'],
    buildArgs: { SOURCE_DATE_EPOCH: '1', BUILDKIT_SYNTAX: 'x' },
    env: ['a=-'],
  },
  {
    what: 'control arguments are arguments where they are declared',
    text: ['FROM base', 'ARG SOURCE_DATE_EPOCH', 'ARG BUILDKIT_SBOM_SCAN_STAGE=true'],
    buildArgs: { SOURCE_DATE_EPOCH: '1', BUILDKIT_SBOM_SCAN_STAGE: 'x' },
    env: ['SOURCE_DATE_EPOCH=1'],
  },
  {
    what: 'proxies are arguments where they are declared',
    text: ['FROM base', 'ARG http_proxy', 'ARG NO_PROXY=default'],
    buildArgs: { http_proxy: 'p' },
    env: ['http_proxy=p', 'NO_PROXY=default'],
  },
]

async function lastRun(
  lines: readonly string[],
  request: PlanRequest = {},
): Promise<{ readonly run: ExecVertex; readonly history: readonly string[] }> {
  const { plan: planned } = await plan([...lines, 'RUN x'].join('\n'), request)
  const run = execs(planned).at(-1)
  assert.ok(run)
  return { run, history: historyOf(planned) }
}

describe('plan: scopes', () => {
  for (const { what, text, buildArgs = {}, env } of CASES) {
    it(what, async () => {
      const { run } = await lastRun(text, { buildArgs })
      assert.deepEqual(
        run.process.env.filter((line) => !line.startsWith('PATH=')),
        env,
      )
    })
  }

  it('keeps the value of ENV in the image when an ARG hides it later', async () => {
    const { plan: planned } = await plan('FROM base\nENV a=env\nARG a=arg\nENV b=$a')
    assert.deepEqual(planned.image.config.Env?.slice(1), ['a=env', 'b=arg'])
  })

  it('lists declared arguments in the history of RUN, each once, with its last value', async () => {
    const text = ['FROM base AS p', 'ARG a=1', 'FROM p', 'ARG b', 'ARG a=2', 'ENV b=env']
    const { history } = await lastRun(text)
    assert.deepEqual(history, [
      ...['ARG a=1', 'ARG b', 'ARG a=2', 'ENV b=env'],
      'RUN |2 a=2 b=env /bin/sh -c x # buildkit',
    ])
  })

  it('takes the target for TARGETSTAGE', async () => {
    const text = ['FROM base AS a', 'ARG TARGETSTAGE', 'RUN x', 'FROM base AS b']
    const { run } = await lastRun(text.slice(0, 2).concat('RUN x'), { target: 'a' })
    assert.ok(run.process.env.includes('TARGETSTAGE=a'))
    const [first] = execs((await plan(text.join('\n'), { target: 'a' })).plan)
    assert.ok(first?.process.env.includes('TARGETSTAGE=a'))
  })
})

describe('plan: predefined arguments', () => {
  it('hand proxies to every step in both spellings, outside of its identity', async () => {
    const buildArgs = { Http_Proxy: 'h', HTTPS_PROXY: 's', no_proxy: 'n', ftp_proxy: '', all: 'x' }
    const { run, history } = await lastRun(['FROM base'], { buildArgs })
    assert.deepEqual(run.process.proxyEnv, [
      ...['HTTP_PROXY=h', 'http_proxy=h', 'HTTPS_PROXY=s', 'https_proxy=s'],
      ...['NO_PROXY=n', 'no_proxy=n'],
    ])
    assert.equal(run.process.env.length, 1)
    assert.deepEqual(history, ['RUN /bin/sh -c x # buildkit'])
  })

  it('name the host of a step', async () => {
    const { run } = await lastRun(['FROM base'])
    assert.equal(run.process.hostname, 'buildkitsandbox')
    const buildArgs = { BUILDKIT_SANDBOX_HOSTNAME: 'builder' }
    assert.equal((await lastRun(['FROM base'], { buildArgs })).run.process.hostname, 'builder')
  })

  it('change no step unless they are about steps', async () => {
    const plain = await lastRun(['FROM base'])
    const names = ['BUILD_NAME', 'CONTEXT_KEEP_GIT_DIR', 'INLINE_CACHE', 'MULTI_PLATFORM', 'SYNTAX']
    const control = [...names, 'DOCKERFILE_CHECK', 'SBOM_SCAN_CONTEXT', 'SBOM_SCAN_STAGE']
    const buildArgs = {
      ...Object.fromEntries(control.map((name) => [`BUILDKIT_${name}`, '1'])),
      SOURCE_DATE_EPOCH: '0',
      BUILDKIT_DISABLE_FILEOP: '0',
    }
    assert.deepEqual((await lastRun(['FROM base'], { buildArgs })).run, plain.run)
  })

  it('refuse what was removed', async () => {
    const buildArgs = { BUILDKIT_DISABLE_FILEOP: 'true' }
    await assert.rejects(plan('FROM base', { buildArgs }), {
      code: 'USAGE',
      message: 'support for "BUILDKIT_DISABLE_FILEOP" build-arg was removed in BuildKit 0.11',
    })
  })
})

describe('unusedBuildArgs', () => {
  const unused = (text: string, names: readonly string[]): readonly string[] => {
    const { dockerfile } = parseDockerfile(text)
    const buildArgs = Object.fromEntries(names.map((name) => [name, '']))
    const targetPlatform = parsePlatform('linux/amd64')
    const globals = globalScope(dockerfile, { buildArgs, targetPlatform, target: undefined })
    return unusedBuildArgs(dockerfile, globals)
  }

  it('are those that no line declares, sorted', () => {
    const text = 'ARG g\nFROM a\nARG s=1 t\nFROM b\nARG u'
    assert.deepEqual(unused(text, ['z', 'g', 's', 't', 'u', 'G', 'constructor']), [
      ...['G', 'constructor', 'z'],
    ])
  })

  it('exclude the predefined ones', () => {
    const known = ['TARGETARCH', 'BUILDPLATFORM', 'TARGETSTAGE', 'HTTP_PROXY', 'no_proxy']
    const control = ['SOURCE_DATE_EPOCH', 'BUILDKIT_SYNTAX', 'BUILDKIT_INLINE_CACHE']
    assert.deepEqual(unused('FROM a', [...known, ...control, 'BUILDKIT_NONE']), ['BUILDKIT_NONE'])
  })
})
