// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are a Dockerfile's variables
import assert from 'node:assert/strict'
import type { Plan } from '#builder/plan'
import { execs, files, historyOf, plan } from '../support.ts'

type Look = (planned: Plan) => unknown

const config: Look = ({ image }) => {
  const { Env: _always, WorkingDir: _inherited, ...rest } = image.config
  return rest
}
const env: Look = ({ image }) => image.config.Env?.slice(1)
const history: Look = (planned) => historyOf(planned).at(-1)
const commands: Look = (planned) => execs(planned).map(({ process }) => process.args)
const actions: Look = (planned) => files(planned).flatMap((vertex) => vertex.actions)
const names: Look = ({ vertices }) => [...vertices.values()].map(({ name }) => name)

/** In every stage: `v` is `val`, `w` two words, `n` is set to nothing and `x` is unset; `p` are two ports. */
const SCOPE = ['ARG v=val', 'ARG w="a b"', 'ARG n=', 'ARG p="80/udp 9"']

/** What each instruction makes of its variables: the instruction, where to look, what is there. */
const CASES: readonly (readonly [string, Look, unknown])[] = [
  // ENV and LABEL: keys and values.
  ['ENV k=$v', env, ['k=val']],
  ['ENV $v=$w', env, ['val=a b']],
  ['ENV a=$w b="$w" c=\'$w\' d=\\$w', env, ['a=a b', 'b=a b', 'c=$w', 'd=$w']],
  ['ENV k $v  "$w"', env, ['k=val  a b']],
  ['ENV v=new k=$v', env, ['v=new', 'k=val']],
  ['ENV k=$x-', env, ['k=-']],
  ['LABEL $v=$w b="$v"', config, { Labels: { val: 'a b', b: 'val' } }],
  ['LABEL $v a $w', config, { Labels: { val: 'a a b' } }],
  // ARG: values only, with what the stage has before.
  ['ARG k=$v', history, 'ARG k=val'],
  ['ARG v=$v$v l=$v', history, 'ARG v=valval l=valval'],
  ['ARG $v=$w', history, 'ARG $v=a b'],
  ['ARG k', history, 'ARG k'],
  // One word each.
  ['USER $v:$v', config, { User: 'val:val' }],
  ['USER "$w"', config, { User: 'a b' }],
  ['STOPSIGNAL $n${x:-9}', config, { StopSignal: '9' }],
  ['WORKDIR /$v/$w', ({ image }) => image.config.WorkingDir, '/val/a b'],
  ['VOLUME $v /$w', config, { Volumes: { val: {}, '/a b': {} } }],
  ['VOLUME ["$v", "/c d"]', config, { Volumes: { val: {}, '/c d': {} } }],
  ['VOLUME [" $v ", "/c "]', config, { Volumes: { val: {}, '/c': {} } }],
  // Many words.
  ['EXPOSE $p', config, { ExposedPorts: { '80/udp': {}, '9/tcp': {} } }],
  ['EXPOSE 9 $p "80"/udp', history, 'EXPOSE [80/udp 80/udp 9/tcp 9/tcp]'],
  ['EXPOSE $x 80$p', config, { ExposedPorts: { '8080/udp': {}, '9/tcp': {} } }],
  // Nothing at all.
  ['CMD $v "$w"', config, { Cmd: ['/bin/sh', '-c', '$v "$w"'], ArgsEscaped: true }],
  ['CMD ["$v"]', config, { Cmd: ['$v'], ArgsEscaped: true }],
  ['ENTRYPOINT $v', config, { Entrypoint: ['/bin/sh', '-c', '$v'], Cmd: [] }],
  ['ENTRYPOINT ["$v"]', config, { Entrypoint: ['$v'], Cmd: [] }],
  ['HEALTHCHECK CMD $v', config, { Healthcheck: { Test: ['CMD-SHELL', '$v'] } }],
  ['HEALTHCHECK CMD ["$v"]', config, { Healthcheck: { Test: ['CMD', '$v'] } }],
  ['SHELL ["$v"]', config, { Shell: ['$v'] }],
  ['ONBUILD RUN $v', config, { OnBuild: ['RUN $v'] }],
  ['MAINTAINER $v "$w"', ({ image }) => image.author, '$v "$w"'],
  ['RUN $v "$w" \\$x', commands, [['/bin/sh', '-c', '$v "$w" \\$x']]],
  ['RUN ["$v", "$w"]', commands, [['$v', '$w']]],
  ['RUN <<EOF\n$v "$w"\nEOF', commands, [['/bin/sh', '-c', '$v "$w"\n']]],
  // Files: what is copied, to where, and whose it is; not what is left out.
  [
    'COPY --chown=$v:$w --chmod=${x:-644} --exclude=$v $v "$w" /$v/',
    actions,
    [
      {
        kind: 'copy',
        source: 0,
        paths: ['val', 'a b'],
        destination: '/val/',
        owner: { user: 'val', group: 'a b' },
        chmod: '644',
        exclude: ['$v'],
        parents: false,
        unpack: 'never',
        wildcards: true,
      },
    ],
  ],
  [
    'ADD --chown=$v --chmod=${x:-644} --exclude=$v ["$v", "/$w"]',
    actions,
    [
      {
        kind: 'copy',
        source: 0,
        paths: ['val'],
        destination: '/a b',
        owner: { user: 'val' },
        chmod: '644',
        exclude: ['$v'],
        parents: false,
        unpack: 'auto',
        wildcards: true,
      },
    ],
  ],
  [
    'COPY <<E /$v\n$v "$w" \'$v\' \\$v $x.\nE',
    actions,
    [{ kind: 'write', name: 'E', destination: '/val', data: 'val "a b" \'val\' $v .\n' }],
  ],
  [
    'COPY <<"E" /$v\n$v "$w"\nE',
    actions,
    [{ kind: 'write', name: 'E', destination: '/val', data: '$v "$w"\n' }],
  ],
  // Names of steps: values where there are any, quotes as they are.
  ['run $v "$w" \'$v\' $x ${x:-$v}', names, ['[2/2] RUN val "a b" \'$v\' $x ${x:-val}']],
  [
    'RUN --mount=type=secret,id=s,env=S $S $v',
    names,
    ['[stage-0 2/2] RUN --mount=type=secret,id=s,env=S **** val'],
  ],
  ["RUN it's $v", names, ["[2/2] RUN it's $v"]],
  ['RUN <<E\necho $v\nE', names, ['[2/2] RUN <<E (echo val)']],
  ['RUN <<E\n\necho $v\n$v\nE', names, ['[2/2] RUN <<E (echo val...)']],
  ['COPY "$v" /$x', names, ['[2/2] COPY "val" /$x']],
  ['WORKDIR $v', names, ['[2/2] WORKDIR val']],
]

describe('plan: what is expanded', () => {
  for (const [instruction, look, expected] of CASES) {
    it(instruction, async () => {
      const { plan: planned } = await plan(['FROM base', ...SCOPE, instruction].join('\n'))
      const seen = look(planned)
      assert.deepEqual(look === names ? (seen as string[]).slice(1) : seen, expected)
    })
  }

  it('is the same with the other escape character', async () => {
    const text = 'FROM base\nARG v=val\nENV a=`$v b=\\$v c="`"$v`""\nWORKDIR /`$v'
    const { image } = (await plan(`# escape=\`\n${text}`)).plan
    assert.deepEqual(image.config.Env?.slice(1), ['a=$v', 'b=\\val', 'c="val"'])
    assert.equal(image.config.WorkingDir, '/$v')
  })

  it('of FROM: the image and the platform, with global arguments', async () => {
    const text = [
      'ARG arch=arm64 image=one:$arch',
      'FROM --platform=linux/$arch ${image%:*}:${TARGETARCH} AS a',
      'ARG arch=amd64',
      'FROM --platform=$BUILDPLATFORM $image',
    ]
    const { resolved } = await plan([...text, 'COPY --from=a / /'].join('\n'))
    assert.deepEqual(resolved, ['one:amd64', 'one:arm64'])
  })

  it('of triggers: in the build that runs them', async () => {
    const images = { base: { OnBuild: ['ENV a=$v', 'RUN $v', 'COPY $v /'], Env: ['v=base'] } }
    const { plan: planned } = await plan('FROM base', { images })
    assert.ok(planned.image.config.Env?.includes('a=base'))
    assert.deepEqual(
      [...planned.vertices.values()].slice(1).map(({ name }) => name),
      ['[2/3] ONBUILD RUN base', '[3/3] ONBUILD COPY base /'],
    )
  })

  for (const [text, message, line] of [
    ['FROM ${imag}\n', 'base name (${imag}) should not be blank (did you mean image?)', 2],
    ['FROM $v\n', 'base name ($v) should not be blank', 2],
    [
      'FROM --platform=$TARGETPLATFROM a\n',
      'empty platform value from expression $TARGETPLATFROM (did you mean TARGETPLATFORM?)',
      2,
    ],
    ['FROM a${x\n', `failed to process "a\${x": syntax error: missing '}'`, 2],
    ['FROM a\nENV a=${x\n', `failed to process "\${x": syntax error: missing '}'`, 3],
    ['FROM a\nRUN a\nWORKDIR ${x?no dir}\n', 'failed to process "${x?no dir}": x: no dir', 4],
    [
      'FROM a\nCOPY <<E /\n${x^}\nE\n',
      'failed to process "${x^}\\n": unsupported modifier (^) in substitution',
      3,
    ],
    ['FROM a\nEXPOSE 80 ${x}:"8\n', /matching double-quote/, 3],
    ['FROM a\nARG b=${x:?}\n', 'failed to process "${x:?}": x: is not allowed to be unset', 3],
  ] as const) {
    it(`reports where it fails: ${text.trim()}`, async () => {
      await assert.rejects(plan(`ARG image=x\n${text}`), (error: Error) => {
        if (typeof message === 'string') assert.equal(error.message, message)
        else assert.match(error.message, message)
        assert.ok('ranges' in error && Array.isArray(error.ranges))
        assert.equal(error.ranges[0]?.start.line, line)
        return true
      })
    })
  }
})
