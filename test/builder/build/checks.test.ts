import assert from 'node:assert/strict'
import { type BuildCheck, type BuildEvent, type BuildOptions, checkBuild } from '#builder'
import { formatPlatform, hostPlatform } from '#core'
import { foreignImage, foreignLayer, publish } from './support/images.ts'
import { namesOf, Workplace } from './support/workplace.ts'

const HOST = formatPlatform(hostPlatform())
const OTHER = hostPlatform().architecture === 'amd64' ? 'arm64' : 'amd64'

describe('build: checks', () => {
  let at: Workplace
  beforeEach(async () => {
    at = await Workplace.open()
    at.put({ a: 'a' })
  })
  afterEach(() => at[Symbol.asyncDispose]())

  const check = (
    dockerfile: string | readonly string[],
    options: Partial<BuildOptions> = {},
  ): Promise<BuildCheck> =>
    checkBuild({
      context: at.path('context'),
      root: at.path('store'),
      dockerfile: typeof dockerfile === 'string' ? dockerfile : dockerfile.join('\n'),
      ...options,
    })

  const found = ({ warnings }: BuildCheck): readonly string[] =>
    warnings.map(({ rule, range }) => `${rule} ${range.start.line}`)

  it('are reported as events, once, and do not stop a build', async () => {
    const { events } = await at.build(['FROM scratch as b', 'COPY a \\', '', ' /', 'CMD run'])
    assert.deepEqual(
      events.filter(({ type }) => type === 'warning').map(({ time: _, ...fact }) => fact),
      [
        {
          type: 'warning',
          rule: 'NoEmptyContinuation',
          description: 'A blank line inside an instruction will be an error one day',
          message: 'Empty continuation line',
          url: 'https://docs.docker.com/go/dockerfile/rule/no-empty-continuation/',
          line: 4,
        },
        {
          type: 'warning',
          rule: 'FromAsCasing',
          description: 'AS is written in the case of the FROM before it',
          message: "'as' and 'FROM' keywords' casing do not match",
          url: 'https://docs.docker.com/go/dockerfile/rule/from-as-casing/',
          line: 1,
        },
        {
          type: 'warning',
          rule: 'JSONArgsRecommended',
          description: 'CMD and ENTRYPOINT as JSON arrays get signals themselves',
          message:
            'JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
          url: 'https://docs.docker.com/go/dockerfile/rule/json-args-recommended/',
          line: 5,
        },
      ],
    )
  })

  it('are reported with all lines of an instruction', async () => {
    const { events } = await at.build(['FROM scratch', 'LABEL a \\', ' b', 'COPY a /'])
    const [warning, ...more] = events.filter(({ type }) => type === 'warning')
    assert.partialDeepStrictEqual(warning, { rule: 'LegacyKeyValueFormat', line: 2, endLine: 3 })
    assert.deepEqual(more, [])
  })

  it('are reported before a mistake is', async () => {
    const events: BuildEvent[] = []
    await assert.rejects(
      at.build(['FROM scratch AS B', 'BOGUS'], { onEvent: (event) => void events.push(event) }),
      { code: 'DOCKERFILE_INVALID' },
    )
    const reported = events.filter(({ type }) => type !== 'span')
    assert.deepEqual(
      reported.map((event) => event.type === 'warning' && event.rule),
      ['StageNameCasing'],
    )
  })

  it('stop a build with error=true, before any step', async () => {
    const events: BuildEvent[] = []
    await assert.rejects(
      at.build(['# check=error=true', 'FROM scratch as b', 'COPY a /'], {
        onEvent: (event) => void events.push(event),
      }),
      { code: 'DOCKERFILE_INVALID', message: 'lint violation found for rules: FromAsCasing' },
    )
    assert.deepEqual(namesOf(events, 'started'), [])
    assert.equal(events.filter(({ type }) => type !== 'span').length, 1)
  })

  it('stop nothing with error=true and no findings', async () => {
    await at.build(['# check=error=true', 'FROM scratch', 'COPY a /'])
  })

  it('leave out stages that a build does not need', async () => {
    const text = ['FROM scratch AS x', 'ENV a b', 'FROM scratch', 'COPY a /']
    const { events } = await at.build(text)
    assert.deepEqual(
      events.filter(({ type }) => type === 'warning'),
      [],
    )
    assert.deepEqual(found(await check(text)), ['LegacyKeyValueFormat 2'])
    assert.deepEqual(found(await check(text, { target: 'x' })), ['LegacyKeyValueFormat 2'])
  })

  it('know the environment and the shell of a base image, and run its triggers', async () => {
    const config = {
      Env: ['FROM_BASE=1'],
      Shell: ['/bin/bash', '-c'],
      OnBuild: ['COPY $MISSING /', 'ENV LATER=1'],
    }
    publish(at.registry, 'base', foreignImage([await foreignLayer({ x: '' })], { config }))
    const result = await check([
      'FROM scratch AS none',
      `FROM ${at.at('base')}`,
      'COPY $FROM_BASE $LATER $NOWHERE /',
      'CMD run',
    ])
    assert.equal(result.error, undefined)
    assert.deepEqual(found(result), ['UndefinedVar 2', 'UndefinedVar 3'])
    assert.deepEqual(
      result.warnings.map(({ message }) => message.replace(/ \(.*/, '')),
      ['MISSING', 'NOWHERE'].map((name) => `Usage of undefined variable '$${name}'`),
    )
  })

  it('report a base image for another platform', async () => {
    const platform = { os: 'linux', architecture: OTHER }
    publish(at.registry, 'base', foreignImage([await foreignLayer({ x: '' })], { platform }))
    const { warnings } = await check(`FROM ${at.at('base')}\n`)
    assert.deepEqual(
      warnings.map(({ message, url }) => ({ message, url })),
      [
        {
          message: `Base image ${at.at('base')} was pulled with platform "linux/${OTHER}", expected "${HOST}" for current build`,
          url: undefined,
        },
      ],
    )
    const crossed = await check(`FROM ${at.at('base')}\n`, { platform: `linux/${OTHER}` })
    assert.deepEqual(found(crossed), [])
  })

  it('are reported once for several platforms', async () => {
    const { events } = await at.build(['FROM scratch', 'COPY a /', 'CMD run $TARGETARCH'], {
      platform: ['linux/amd64', 'linux/arm64'],
    })
    const rules = events.map((event) => event.type === 'warning' && event.rule)
    assert.equal(rules.filter((rule) => rule === 'JSONArgsRecommended').length, 1)
  })

  it('read the .dockerignore', async () => {
    at.put({ '.dockerignore': 'a\n' })
    assert.deepEqual(found(await check('FROM scratch\nCOPY a /\n')), ['CopyIgnoredFile 2'])
  })

  it('fetch no layer and run no step', async () => {
    publish(at.registry, 'base', foreignImage([await foreignLayer({ x: '' })]))
    at.takeLog()
    const result = await check([`FROM ${at.at('base')}`, 'RUN false', 'COPY missing /'])
    assert.deepEqual([result.warnings, result.error], [[], undefined])
    const blobs = at.takeLog().filter((request) => request.includes('/blobs/'))
    assert.equal(blobs.length, 1)
  })

  const MISTAKES: readonly (readonly [string, readonly string[], RegExp, string])[] = [
    ['the text', ['FROM scratch', 'RUN'.concat(' --x a')], /unknown flag/, ''],
    [
      'links',
      ['FROM scratch AS B', 'COPY --from=5 a /'],
      /invalid stage index 5/,
      'StageNameCasing 1',
    ],
    ['a later stage', ['FROM scratch AS a', 'EXPOSE x', 'FROM scratch'], /invalid/, ''],
    ['the settings', ['# check=error=1', 'FROM scratch as b'], /lint violation/, 'FromAsCasing 2'],
  ]
  for (const [name, dockerfile, message, rule] of MISTAKES) {
    it(`find mistakes in ${name}`, async () => {
      const result = await check(dockerfile)
      assert.match(result.error?.message ?? '', message)
      assert.deepEqual(found(result), rule === '' ? [] : [rule])
    })
  }

  it('find a base image that is not there, at its line', async () => {
    const { error } = await check(['FROM scratch', `FROM ${at.at('nothing')}`])
    assert.equal(error?.code, 'NOT_FOUND')
    assert.ok(error !== undefined && 'ranges' in error)
  })

  it('refuse settings that cannot be understood', async () => {
    const buildArgs = { BUILDKIT_DOCKERFILE_CHECK: 'x' }
    await assert.rejects(check('FROM scratch', { buildArgs }), { code: 'USAGE' })
    await assert.rejects(at.build('FROM scratch', { buildArgs }), { code: 'USAGE' })
  })

  it('can be cancelled', async () => {
    const signal = AbortSignal.abort()
    await assert.rejects(check('FROM scratch', { signal }), { code: 'CANCELLED' })
  })
})
