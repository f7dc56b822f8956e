import assert from 'node:assert/strict'
import { execs, files, historyOf, type PlanRequest, plan } from './support.ts'

const configOf = async (text: string, request?: PlanRequest) =>
  (await plan(text, request)).plan.image.config

describe('plan: names that no stage has', () => {
  for (const line of [
    'FROM buidler',
    'FROM scratch\nCOPY --from=buidler / /',
    'FROM scratch\nRUN --mount=from=buidler,target=/x x',
  ]) {
    for (const [code, isMeant] of [
      ['NOT_FOUND', true],
      ['REGISTRY_UNREACHABLE', true],
      ['REGISTRY_DENIED', true],
      ['REGISTRY_FAILED', true],
      ['PLATFORM_MISMATCH', false],
      ['CANCELLED', false],
    ] as const) {
      it(`are ${isMeant ? '' : 'not '}taken for slips of one when images fail with ${code}: ${line.split('\n').at(-1)}`, async () => {
        const text = `FROM scratch AS builder\n${line}\nFROM scratch AS buidle\nFROM scratch\nCOPY --from=1 / /\n`
        const message = `${isMeant ? 'did you mean the stage builder? ' : ''}buidler: no such image`
        const failing = plan(text, { failures: { buidler: code } })
        await assert.rejects(failing, { code, message })
      })
    }
  }

  it('are images when there are such', async () => {
    const { resolved } = await plan('FROM scratch AS builder\nFROM buidler\n')
    assert.deepEqual(resolved, ['buidler'])
  })

  it('do not suggest later stages, or names that are not similar', async () => {
    for (const name of ['after', 'other']) {
      const text = `FROM scratch AS one\nFROM ${name}\nFROM scratch AS afther\nFROM scratch\nCOPY --from=1 / /\n`
      const failing = plan(text, { failures: { [name]: 'NOT_FOUND' } })
      await assert.rejects(failing, { message: `${name}: no such image` })
    }
  })
})

describe('plan: image config', () => {
  it('starts from nothing with a PATH and a working directory', async () => {
    assert.deepEqual(await configOf('FROM scratch\nLABEL a=b'), {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      WorkingDir: '/',
      Labels: { a: 'b' },
    })
  })

  it('inherits from the base and gives it a PATH when it has none', async () => {
    const images = { base: { Env: ['A=1'], User: 'app', Cmd: ['serve'], OnBuild: [] } }
    const config = await configOf('FROM base\nENV B=2 A=3', { images })
    assert.equal(config.User, 'app')
    assert.deepEqual(config.Cmd, ['serve'])
    assert.deepEqual(
      config.Env?.map((line) => line.split('=')[0]),
      ['A', 'PATH', 'B'],
    )
    assert.equal(config.Env?.[0], 'A=3')
  })

  it('sees the values from before the instruction', async () => {
    const config = await configOf('FROM scratch\nENV a=1\nENV a=2 b=$a')
    assert.deepEqual(config.Env?.slice(1), ['a=2', 'b=1'])
  })

  it('resets an inherited CMD at ENTRYPOINT, but not one of the same stage', async () => {
    const images = { base: { Cmd: ['serve'] } }
    assert.deepEqual((await configOf('FROM base\nENTRYPOINT ["/x"]', { images })).Cmd, [])
    const own = await configOf('FROM base\nCMD ["a"]\nENTRYPOINT ["/x"]', { images })
    assert.deepEqual(own.Cmd, ['a'])
  })

  it('wraps shell forms in the stage shell', async () => {
    const config = await configOf('FROM scratch\nSHELL ["/bin/bash","-ec"]\nCMD echo $HOME')
    assert.deepEqual(config.Cmd, ['/bin/bash', '-ec', 'echo $HOME'])
    assert.equal(config.ArgsEscaped, true)
  })

  it('lets EXPOSE name addresses and ports of the host', async () => {
    const config = await configOf(
      'FROM scratch\nEXPOSE 1.2.3.4:80:81 [::1]::82/ 90-99:83 00084 8085:85/udp',
    )
    assert.deepEqual(Object.keys(config.ExposedPorts ?? {}).toSorted(), [
      ...['81/tcp', '82/tcp', '83/tcp', '84/tcp', '85/udp'],
    ])
  })

  it('expands EXPOSE into single ports, sorted as their words are written', async () => {
    const config = await configOf('FROM scratch\nARG p="90/UDP 80"\nEXPOSE 8000-8002 $p "9"')
    assert.deepEqual(Object.keys(config.ExposedPorts ?? {}), [
      '9/tcp',
      '90/udp',
      '80/tcp',
      '8000/tcp',
      '8001/tcp',
      '8002/tcp',
    ])
  })

  for (const [text, message] of [
    ['EXPOSE 80/foo', 'invalid port: "80/foo": invalid proto: foo'],
    ['EXPOSE 90-80', 'invalid containerPort: 90-80'],
    ['VOLUME /a $b', 'VOLUME specified can not be an empty string'],
    ['EXPOSE 70000', 'invalid containerPort: 70000'],
    ['EXPOSE 80-81-82', 'invalid containerPort: 80-81-82'],
    ['EXPOSE /tcp', 'no port specified: /tcp<empty>'],
    ['EXPOSE x:80', 'invalid hostPort: x'],
    ['EXPOSE 300.1.1.1:80:80', 'invalid IP address: 300.1.1.1'],
    [
      'EXPOSE 80-82:80-81',
      'invalid ranges specified for container and host Ports: 80-81 and 80-82',
    ],
    ['STOPSIGNAL SIGFOO', 'invalid signal: SIGFOO'],
    ['RUN --network=host true', 'network.host is not allowed'],
    ['COPY https://example.com/x /x', "source can't be a URL for COPY"],
    ['COPY git@example.com:x /x', "source can't be a git ref for COPY"],
    [
      'ADD --checksum=sha256:00 https://h/x https://h/y /',
      "checksum can't be specified for multiple sources",
    ],
    ['ADD --checksum=sha256:00 x /', 'checksum requires HTTP(S) or Git sources'],
    ['ADD --checksum=sha256:00 https://h/x /', 'invalid checksum "sha256:00"'],
    [
      'ADD --keep-git-dir https://h/x.git?keep-git-dir=0 /',
      'inconsistent keep-git-dir configuration',
    ],
  ] as const) {
    it(`refuses ${text} at its place`, async () => {
      await assert.rejects(plan(`FROM scratch\n${text}\n`), (error: Error) => {
        assert.equal(error.message, message)
        assert.ok('ranges' in error && Array.isArray(error.ranges))
        assert.equal(error.ranges[0]?.start.line, 2)
        return true
      })
    })
  }

  it('accepts signals in all their spellings', async () => {
    for (const signal of ['SIGTERM', 'term', '9', 'RTMIN+3', 'SIGRTMAX-1']) {
      assert.equal((await configOf(`FROM scratch\nSTOPSIGNAL ${signal}`)).StopSignal, signal)
    }
  })

  it('puts labels of the command line last, unexpanded', async () => {
    const config = await configOf('FROM scratch\nLABEL a=1 b=2', { labels: { a: '$x' } })
    assert.deepEqual(config.Labels, { a: '$x', b: '2' })
  })
})

describe('plan: sources of ADD', () => {
  it('are taken in the order written, one vertex for each that is elsewhere', async () => {
    const text = [
      'FROM base',
      'ARG v=1',
      'ADD a b https://h/x-$v.txt c https://h/r.git#$v:d https://h/x-1.txt <<end /to/',
      'text',
      'end',
      'ADD --unpack --chown=5 https://h/x-1.txt /',
    ].join('\n')
    const planned = (await plan(text)).plan
    const [first, second] = files(planned)
    const remotes = [...planned.vertices.values()].filter(({ op }) => op === 'http' || op === 'git')
    assert.deepEqual(
      remotes.map(({ name }) => name),
      ['https://h/x-1.txt', 'https://h/r.git#1:d'],
    )
    const [http, git] = remotes.map(({ id }) => id)
    assert.deepEqual(first?.sources, [
      { kind: 'context' },
      { kind: 'vertex', vertex: http },
      { kind: 'vertex', vertex: git },
      { kind: 'vertex', vertex: http },
    ])
    const taken = first.actions.map((action) =>
      action.kind === 'copy' ? [action.source, action.paths, action.unpack] : action.kind,
    )
    assert.deepEqual(taken, [
      [0, ['a', 'b'], 'auto'],
      [1, ['x-1.txt'], 'never'],
      [0, ['c'], 'auto'],
      [2, ['/'], 'never'],
      [3, ['x-1.txt'], 'never'],
      'write',
    ])
    const [unpacked] = second?.actions ?? []
    assert.equal(unpacked?.kind === 'copy' && unpacked.unpack, 'auto')
    assert.deepEqual(unpacked?.kind === 'copy' && unpacked.owner, { user: '5' })
    const name = 'ADD a b https://h/x-1.txt c https://h/r.git#1:d https://h/x-1.txt <<end /to/'
    assert.equal(historyOf(planned)[0], 'ARG v=1')
    assert.equal(historyOf(planned)[1], `${name} # buildkit`)
  })
})

describe('plan: credentials in URLs', () => {
  it('are shown nowhere, and all else is', async () => {
    const text = [
      'FROM base',
      'ARG PASSWORD=p@ss',
      'ADD https://me:$PASSWORD@h/x?y=a@b HTTP://token@h/r.git#v1:d git@h:r.git x@y http://h/@z /to/',
    ].join('\n')
    const planned = (await plan(text)).plan
    const shown =
      'ADD https://xxxxx:xxxxx@h/x?y=a@b HTTP://xxxxx@h/r.git#v1:d git@h:r.git x@y http://h/@z /to/'
    assert.equal(historyOf(planned)[1], `${shown} # buildkit`)
    const names = [...planned.vertices.values()].map(({ name }) => name)
    assert.ok(names.some((name) => name.endsWith(`] ${shown}`)))
    assert.doesNotMatch(names.join('\n'), /p@ss|token/)
    const remote = [...planned.vertices.values()].find(({ op }) => op === 'http')
    assert.ok(remote?.op === 'http' && new URL(remote.source.url).password === 'p%40ss')
  })

  it('are not shown where they are parameters', async () => {
    const text = [
      'FROM base',
      'ARG TOKEN=hidden',
      'ADD https://h/x?v=1&access_token=$TOKEN&b=2 http://h/y?X-Amz-Signature=hidden#part /to/',
      'ADD ["https://h/r.git?branch=main","http://h/z?sig=hidden","/to/"]',
    ].join('\n')
    const planned = (await plan(text)).plan
    const names = [...planned.vertices.values()].map(({ name }) => name)
    const shown = [...historyOf(planned).slice(1), ...names].join('\n')
    assert.doesNotMatch(shown, /hidden/)
    assert.match(shown, /^ADD https:\/\/h\/x\?v=1&access_token=xxxxx&b=2 /m)
    assert.match(shown, /branch=main/)
  })

  it('are not shown where they are written in an odd way', async () => {
    for (const USER of ["/me:p'ss", '\\\\me:p"ss', 'me:,ss', ':p', 'p:']) {
      const text = 'FROM base\nARG USER\nADD http://$USER@h/x /to/'
      const planned = (await plan(text, { buildArgs: { USER } })).plan
      assert.match(historyOf(planned)[1] ?? '', /^ADD http:[/\\]+xxxxx:xxxxx@h\/x \/to\/ #/)
    }
  })

  it('are not shown in what is wrong with them', async () => {
    for (const url of [
      'https://me:hidden@h:x/',
      'https://me:hidden@h/r.git#-x',
      'https://me:hidden@h/r.git?access_token=hidden',
    ]) {
      await assert.rejects(plan(`FROM base\nADD ${url} /`), ({ message }: Error) => {
        assert.match(message, /^invalid .*https:\/\/xxxxx:xxxxx@h/)
        assert.doesNotMatch(message, /hidden/)
        return true
      })
    }
  })
})

describe('plan: arguments', () => {
  const runEnv = async (text: string, request?: PlanRequest): Promise<readonly string[]> => {
    const [run] = execs((await plan(text, request)).plan)
    return run?.process.env.filter((line) => !line.startsWith('PATH=')) ?? []
  }

  it('take a build argument before the default before the global value', async () => {
    const text = 'ARG g=global\nFROM base\nARG a=default\nARG b=$a-x\nARG g\nARG none\nRUN true'
    assert.deepEqual(await runEnv(text), ['a=default', 'b=default-x', 'g=global'])
    const buildArgs = { a: '$b', g: 'given' }
    assert.deepEqual(await runEnv(text, { buildArgs }), ['a=$b', 'b=$b-x', 'g=given'])
  })

  it('are not seen by other stages, but by children', async () => {
    const text =
      'FROM base AS a\nARG x=1\nFROM a AS b\nRUN one\nFROM base\nCOPY --from=b / /\nRUN two'
    const [one, two] = execs((await plan(text)).plan)
    assert.ok(one?.process.env.includes('x=1'))
    assert.ok(!two?.process.env.includes('x=1'))
  })

  it('never reach the image config', async () => {
    const config = await configOf('FROM scratch\nARG secret=1')
    assert.equal(config.Env?.length, 1)
  })

  it('know the platform when they are declared', async () => {
    const text = 'FROM base\nARG TARGETPLATFORM\nARG TARGETARCH=mine\nRUN true'
    assert.deepEqual(await runEnv(text, { platform: 'linux/arm64' }), [
      'TARGETPLATFORM=linux/arm64',
      'TARGETARCH=mine',
    ])
  })

  it('choose base images', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a Dockerfile's variable
    const text = 'ARG BASE=one\nFROM ${BASE}:${TAG:-latest}\nRUN true'
    assert.deepEqual((await plan(text)).resolved, ['one:latest'])
    assert.deepEqual((await plan(text, { buildArgs: { BASE: 'two' } })).resolved, ['two:latest'])
  })

  it('pass proxies on beside the environment', async () => {
    const [run] = execs(
      (await plan('FROM base\nRUN x', { buildArgs: { HTTP_PROXY: 'http://p' } })).plan,
    )
    assert.deepEqual(run?.process.proxyEnv, ['HTTP_PROXY=http://p', 'http_proxy=http://p'])
    assert.ok(!run?.process.env.some((line) => /proxy/i.test(line)))
  })
})

describe('plan: stages', () => {
  it('resolves only what the target needs', async () => {
    const text = 'FROM unused AS u\nRUN x\nFROM one AS a\nRUN x\nFROM two AS b\nCOPY --from=a / /'
    assert.deepEqual((await plan(text)).resolved, ['one', 'two'])
    assert.deepEqual((await plan(text, { target: 'A' })).resolved, ['one'])
  })

  it('reads the names of images in all of them', async () => {
    const refused = { code: 'REFERENCE_INVALID', message: /^No: .* must be lowercase$/ }
    for (const line of ['FROM No', 'FROM x\nCOPY --from=No a /', 'FROM x\nRUN --mount=from=No a']) {
      await assert.rejects(plan(`${line}\nFROM one`), refused)
    }
    const text = 'FROM one AS No\nFROM NO\nCOPY --from=NO a /\nFROM oci-layout:///x\nFROM one'
    await assert.rejects(plan(text), { code: 'REFERENCE_INVALID', message: /^NO: / })
    assert.deepEqual((await plan(text.replace('FROM NO', 'FROM no'))).resolved, ['one'])
  })

  it('reads the platforms of all of them', async () => {
    const text = 'FROM --platform=plan9x unused AS u\nRUN --mount=type=x x\nFROM one'
    await assert.rejects(plan(text), /^SourceError: failed to parse platform plan9x: /)
    assert.deepEqual((await plan(text.replace('plan9x', 'linux'))).resolved, ['one'])
  })

  it('numbers steps as BuildKit does', async () => {
    const text = 'FROM one AS build\nRUN a\nENV x=1\nRUN b\nFROM scratch\nCOPY --from=build /x /y'
    const names = [...(await plan(text)).plan.vertices.values()].map(({ name }) => name)
    assert.deepEqual(names, [
      '[build 1/3] FROM one',
      '[build 2/3] RUN a',
      '[build 3/3] RUN b',
      '[stage-1 1/1] COPY --from=build /x /y',
    ])
  })

  it('leaves the stage out of the name when there is only one, and it has no other sources', async () => {
    const nameOf = async (text: string): Promise<string | undefined> => {
      const [from] = (await plan(text)).plan.vertices.values()
      return from?.name
    }
    assert.equal(await nameOf('FROM one\nRUN a'), '[1/2] FROM one')
    assert.equal(await nameOf('FROM one AS build\nRUN a'), '[1/2] FROM one')
    assert.equal(
      await nameOf('FROM one\nRUN --mount=type=tmpfs,target=/t a'),
      '[stage-0 1/2] FROM one',
    )
    assert.equal(await nameOf('FROM one AS build\nCOPY --from=two / /'), '[build 1/2] FROM one')
  })

  it('makes one vertex of an image that is used twice', async () => {
    const text = 'FROM one AS a\nRUN x\nFROM one\nCOPY --from=a /x /y'
    const images = [...(await plan(text)).plan.vertices.values()].filter(({ op }) => op === 'image')
    assert.equal(images.length, 1)
  })

  it('copies from images that are not stages', async () => {
    const { plan: planned, resolved } = await plan('FROM scratch\nCOPY --from=tools:1 /bin/x /x')
    assert.deepEqual(resolved, ['tools:1'])
    assert.equal(files(planned)[0]?.sources[0]?.kind, 'vertex')
  })

  it('names the line of a base that cannot be resolved', async () => {
    await assert.rejects(plan('FROM one AS a\nFROM missing'), (error: Error) => {
      assert.equal(error.message, 'missing: no such image')
      assert.ok('ranges' in error && Array.isArray(error.ranges))
      assert.equal(error.ranges[0]?.start.line, 2)
      return true
    })
  })
})

describe('plan: COPY and WORKDIR', () => {
  it('resolves destinations against the working directory', async () => {
    const text =
      'FROM scratch\nWORKDIR /a\nWORKDIR b/../c\nCOPY x y\nCOPY x .\nCOPY x ./\nCOPY x /z/'
    const { plan: planned } = await plan(text)
    const destinations = files(planned).flatMap(({ actions }) =>
      actions.flatMap((action) => (action.kind === 'copy' ? [action.destination] : [])),
    )
    assert.deepEqual(destinations, ['/a/c/y', '/a/c/', '/a/c/', '/z/'])
    assert.equal(planned.image.config.WorkingDir, '/a/c')
  })

  it('gives new working directories to the user', async () => {
    const [workdir] = files((await plan('FROM base\nUSER app:www\nWORKDIR /srv')).plan)
    assert.deepEqual(workdir?.actions, [
      { kind: 'mkdir', path: '/srv', mode: 0o755, owner: { user: 'app', group: 'www' } },
    ])
  })

  const workdirs: readonly (readonly [
    written: string,
    config: string,
    made: string | undefined,
  ])[] = [
    ['/tmp/', '/tmp/', '/tmp'],
    ['/a//b', '/a//b', '/a/b'],
    ['/a/../b/.', '/a/../b/.', '/b'],
    ['//', '//', '/'],
    ['/.', '/.', '/'],
    ['/', '/', undefined],
    ['x/', '/w//d/x', '/w/d/x'],
    ['../x//y/.', '/w/x/y', '/w/x/y'],
    ['.', '/w/d', '/w/d'],
    ['../..', '/', undefined],
  ]
  for (const [written, config, made] of workdirs) {
    const cleaned = config.replace('//d', '/d')
    it(`keeps an absolute WORKDIR as written and cleans a relative one: ${written}`, async () => {
      const text = `FROM scratch\nWORKDIR /w//d\nWORKDIR ${written}\nCOPY f g\nRUN x`
      const { plan: planned } = await plan(text)
      const expected = written.startsWith('/') ? config : cleaned
      assert.equal(planned.image.config.WorkingDir, expected)
      assert.equal(historyOf(planned)[1], `WORKDIR ${expected}`)
      const [, ...rest] = files(planned)
      const mkdirs = rest.flatMap(({ actions }) =>
        actions.flatMap((action) => (action.kind === 'mkdir' ? [action.path] : [])),
      )
      assert.deepEqual(mkdirs, made === undefined ? [] : [made])
      const inside = made ?? '/'
      assert.equal(execs(planned)[0]?.process.cwd, inside)
      const [copy] = rest.at(-1)?.actions ?? []
      assert.ok(copy?.kind === 'copy')
      assert.equal(copy.destination, `${inside === '/' ? '' : inside}/g`)
    })
  }

  it('makes no layer for WORKDIR /', async () => {
    assert.equal(files((await plan('FROM base\nWORKDIR /')).plan).length, 0)
  })

  it('turns heredocs into files', async () => {
    const text = 'FROM scratch\nARG who=me\nCOPY <<EOF /x\nhello "$who"\nEOF\n'
    const [copy] = files((await plan(text)).plan)
    const [action] = copy?.actions ?? []
    assert.ok(action?.kind === 'write')
    assert.equal(action.data, 'hello "me"\n')
    assert.deepEqual(copy?.sources, [])
  })
})

describe('plan: ONBUILD', () => {
  it('runs the triggers of a base image first, and only once', async () => {
    const images = { base: { OnBuild: ['COPY . /src', 'RUN make', 'COPY --from=tools /t /t'] } }
    const { plan: planned, resolved } = await plan('FROM base AS a\nRUN own\nFROM a\nRUN last', {
      images,
    })
    assert.deepEqual(resolved, ['base', 'tools'])
    const steps = historyOf(planned)
    assert.equal(steps[0], 'COPY . /src # buildkit')
    assert.deepEqual(
      execs(planned).map(({ process }) => process.args.at(-1)),
      ['make', 'own', 'last'],
    )
    assert.equal(planned.image.config.OnBuild, undefined)
  })

  it('keeps its own triggers for its children', async () => {
    const config = await configOf('FROM scratch\nONBUILD RUN x\nONBUILD COPY a b')
    assert.deepEqual(config.OnBuild, ['RUN x', 'COPY a b'])
  })

  it('shows a bad trigger at FROM', async () => {
    const images = { base: { OnBuild: ['FORM x'] } }
    await assert.rejects(plan('\n\nFROM base', { images }), (error: Error) => {
      assert.match(error.message, /invalid ONBUILD trigger "FORM x"/)
      assert.ok('ranges' in error && Array.isArray(error.ranges))
      assert.equal(error.ranges[0]?.start.line, 3)
      return true
    })
  })
})

describe('plan: history', () => {
  it('has the texts that docker history shows', async () => {
    const text = [
      'FROM base',
      'MAINTAINER me',
      'ARG a=1',
      'ENV x="y z"',
      'LABEL k=v',
      'EXPOSE 80',
      'VOLUME /a /b',
      'USER me',
      'WORKDIR /w',
      'SHELL ["/bin/bash","-c"]',
      'RUN echo hi',
      'RUN ["a","b"]',
      'COPY --chown=1:2 --chmod=644 a b /c/',
      'HEALTHCHECK --interval=1m30s --retries=3 CMD curl x',
      'STOPSIGNAL SIGINT',
      'ENTRYPOINT ["/a","b \\"c\\""]',
      'CMD serve',
    ].join('\n')
    assert.deepEqual(historyOf((await plan(text)).plan), [
      'MAINTAINER me',
      'ARG a=1',
      'ENV x=y z',
      'LABEL k=v',
      'EXPOSE [80/tcp]',
      'VOLUME [/a /b]',
      'USER me',
      'WORKDIR /w',
      'SHELL [/bin/bash -c]',
      'RUN |1 a=1 /bin/bash -c echo hi # buildkit',
      'RUN |1 a=1 a b # buildkit',
      'COPY --chown=1:2 --chmod=644 a b /c/ # buildkit',
      'HEALTHCHECK {Test:[CMD-SHELL curl x] Interval:1m30s Timeout:0s StartPeriod:0s StartInterval:0s Retries:3}',
      'STOPSIGNAL SIGINT',
      'ENTRYPOINT ["/a" "b \\"c\\""]',
      'CMD ["/bin/bash" "-c" "serve"]',
    ])
  })
})
