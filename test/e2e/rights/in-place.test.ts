import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  busyboxBase,
  capture,
  diskDirectory,
  type Outcome,
  type TemporaryDirectory,
} from '../../support/peers/index.ts'
import { throwAwayRoot } from '../../support/throw-away/index.ts'
import { TerminalSession } from '../past/terminal-session.ts'
import { writeContext } from '../support/context.ts'
import { HERE, mustBuild, tsbuild } from '../support/tsbuild.ts'

const SECRET = 'a secret that must not be left'

const DOCKERFILE = `
FROM base AS made
RUN mkdir -p /out/d && echo made > /out/d/f && chown 1000:1001 /out/d/f && ln /out/d/f /out/same && mkfifo /out/p
FROM base AS other
RUN rm -r /home /bin/wget && mkdir /home && echo new > /home/file && ln -s nowhere /link
WORKDIR /made/here
FROM other
COPY --from=made /out /copied
RUN --mount=type=cache,target=/root/.cache/x \\
  --mount=type=bind,from=made,source=/out,target=/etc/given \\
  --mount=type=bind,target=/context \\
  --mount=type=secret,id=s \\
  --mount=type=tmpfs,target=/var/tmp <<EOF
set -e
test "$(cat /run/secrets/s)" = "${SECRET}"
cat /etc/given/d/f /context/hello > /result
echo x >> /root/.cache/x/log
touch /var/tmp/dropped
(sleep 4712 &)
EOF
RUN rm -r /copied/d && echo again >> /result && chmod 4711 /bin/busybox
USER nobody
RUN test "$(id -u)" = 65534 && test ! -e /run/secrets && test ! -e /context && test ! -e /var/tmp
`

describe('builds in place', function () {
  this.timeout(120_000)
  let place: TemporaryDirectory
  let base: string
  before(async function () {
    if (process.getuid?.() !== 0) this.skip()
    base = await busyboxBase()
    place = diskDirectory('in-place')
    writeContext(place.file('context'), { Dockerfile: DOCKERFILE, hello: 'hello\n' })
    writeFileSync(place.file('secret'), SECRET)
  })
  after(() => place?.[Symbol.dispose]())

  const args = (): readonly string[] => [
    ...['-q', '--reproducible', '--build-context', `base=oci-layout://${base}`],
    ...['--secret', `id=s,src=${place.file('secret')}`, place.file('context')],
  ]

  function buildInRoot(
    flags: readonly string[],
    without: readonly string[] = [],
  ): Promise<Outcome> {
    const prefix = throwAwayRoot({ show: [HERE.path, place.path, base], without })
    return tsbuild([...flags, ...args()], { root: '/volume/store', cwd: '/', prefix })
  }

  it('make the image that namespaces make', async () => {
    const expected = await mustBuild(args(), { root: place.file('store') })
    assert.match(expected.stdout, /^sha256:/)
    const { stdout, stderr } = await buildInRoot(['--isolation=in-place'])
    assert.equal(stdout, expected.stdout, stderr)
    const fewer = await buildInRoot(
      ['--isolation=in-place'],
      ['kill', 'setpcap', 'mknod', 'setfcap'],
    )
    assert.equal(fewer.stdout, expected.stdout, fewer.stderr)
  })

  it('wait for each other, also in one process', async () => {
    const script = fileURLToPath(new URL('./two-builds.js', import.meta.url))
    const [command = '', ...words] = throwAwayRoot({ show: [base] })
    const { stdout, stderr } = await capture(command, [...words, process.execPath, script, base])
    const made = ['one\nend\n', 'two\nend\n']
    assert.equal(stdout, JSON.stringify({ made, waits: 1 }), stderr)
  })

  it('are not made unless they are asked for', async () => {
    for (const flags of [[], ['--isolation=strict']]) {
      const { status, stderr } = await buildInRoot(flags)
      assert.equal(status, 1)
      assert.match(stderr, /steps need namespaces, which this process may not make/)
    }
  })

  it('say what a stage hides, and what they cannot do', async () => {
    const cases = [
      [
        `FROM base\nCOPY hello ${place.path}/file\nRUN true\n`,
        /it has files at .*, which the build/,
      ],
      [
        `FROM base\nWORKDIR ${place.path}/context/d\nRUN true\n`,
        /which the build or the container needs[\s\S]*hint: .*\/context: mount that at \/tsbuild\/context/,
      ],
      ['FROM base\nRUN echo x > /volume/file\n', /the step has changed \/volume\/file, which/],
      ['FROM base\nRUN --network=none true\n', /steps in place cannot be without a network/],
    ] as const
    for (const [dockerfile, message] of cases) {
      const path = place.file('other.Dockerfile')
      writeFileSync(path, dockerfile)
      const { status, stderr } = await buildInRoot(['--isolation=in-place', '-f', path])
      assert.equal(status, 1, dockerfile)
      assert.match(stderr, message)
    }
  })

  it('open a shell before the step that failed, on a terminal of the container', async () => {
    const failing = writeContext(place.file('failing'), {
      Dockerfile: `FROM base
RUN echo first > /first && mkdir -m 777 /own
USER nobody
ENV NAME=value
RUN --mount=type=secret,id=s,mode=444 echo second > /own/second && false
`,
    })
    const prefix = throwAwayRoot({ show: [HERE.path, place.path, base] })
    const flags = ['--isolation=in-place', '--on-failure=shell', '--root', '/volume/store']
    const command = [...prefix, ...HERE.command, ...flags, ...args().slice(1, -1), failing]
    const words = command.map((word) => `'${word}'`).join(' ')
    await using terminal = new TerminalSession(`cd /; ${words}; echo "left $?"`, {
      HOME: place.path,
    })
    await terminal.prompt('$')
    assert.match(terminal.seen, /the files are as they were before it/)
    terminal.type(
      'id -u; cat /first; ls /own; echo $NAME; cat /run/secrets/s; tty; stty size; exit\n',
    )
    await terminal.until(new RegExp(`65534\r\nfirst\r\nvalue\r\n${SECRET}/dev/pts/\\d+\r\n`))
    await terminal.until(/left 1\r\n/)
  })

  it('say which capability they lack', async () => {
    for (const name of ['chown', 'dac_override', 'fowner', 'fsetid', 'setgid', 'setuid']) {
      const { status, stderr } = await buildInRoot(['--isolation=in-place'], [name])
      assert.equal(status, 1)
      assert.match(stderr, new RegExp(`lacks the capability ${name.toUpperCase()} `))
    }
  })
})
