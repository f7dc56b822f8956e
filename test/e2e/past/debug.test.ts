/** Shells in sandboxes of steps that builds have executed. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { makeCallProgram } from '#builder/linux'
import {
  busyboxBase,
  run,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { processTree } from '../support/processes.ts'
import { HERE, mustBuild, stepsThat, tsbuild } from '../support/tsbuild.ts'
import { TerminalSession } from './terminal-session.ts'

const DOCKERFILE = `FROM base
RUN echo first > /first
RUN mkdir -p /etc && echo app:x:1000:1000::/work:/bin/sh >> /etc/passwd && mkdir -m 777 /work
USER app
WORKDIR /work
ENV NAME=value
RUN --mount=type=secret,id=token,mode=444 --mount=type=cache,target=/cache,uid=1000 \
  --mount=type=bind,source=.,target=/bound touch left /cache/kept; test -e /fixed
`

describe('tsbuild debug', function () {
  this.timeout(120_000)
  let directory: TemporaryDirectory
  let root: string
  let flags: readonly string[]
  let env: Readonly<Record<string, string>>

  before(async () => {
    directory = temporaryDirectory('debug')
    root = directory.file('store')
    writeFileSync(directory.file('token'), 'very secret\n')
    const context = writeContext(directory.file('context'), { Dockerfile: DOCKERFILE, file: 'x' })
    const secret = `id=token,src=${directory.file('token')}`
    flags = ['--secret', secret]
    env = { TSBUILD_ROOT: root, HOME: directory.path, FLAGS: flags.join(' ') }
    const base = `base=oci-layout://${await busyboxBase()}`
    const args = [...flags, '--build-context', base, context]
    const { status, stderr } = await tsbuild(args, { root })
    assert.equal(status, 1, stderr)
    const [, hint = ''] = /tsbuild debug (\w+\/v\d+)\n/.exec(stderr) ?? []
    assert.notEqual(hint, '', stderr)
    env = { ...env, HINT: hint, BUILD: args.join(' ') }
  })
  after(() => directory?.[Symbol.dispose]())

  /** A script in which `tsbuild` is the program. */
  function session(script: string): TerminalSession {
    const program = HERE.command.map((word) => `'${word}'`).join(' ')
    return new TerminalSession(`tsbuild() { ${program} "$@"; }; ${script}`, env)
  }

  it('is a shell where the step failed, on a terminal that is as it was afterwards', async () => {
    await using terminal = session(
      'stty cols 99 rows 33; before=$(stty -g); tsbuild debug $FLAGS $HINT; echo "left $?"; test "$before" = "$(stty -g)" && echo restored',
    )
    await terminal.prompt('$')
    terminal.type(
      'stty size; tty; pwd; id -u; echo $NAME; ls; cat /run/secrets/token /bound/file\n',
    )
    await terminal.until(
      /33 99\r\n\/dev\/pts\/0\r\n\/work\r\n1000\r\nvalue\r\n.*left.*very secret\r\nx/s,
    )
    terminal.type('touch new /cache/new; ls /cache; printf "%s%s" st arted; sleep 60\n')
    await terminal.until(/kept\s+new\s+started/)
    terminal.type('\x03')
    await terminal.prompt('$')
    terminal.type('exit 7\n')
    await terminal.until(/left 7\r\nrestored\r\n/)
  })

  it('changes nothing: neither what is kept, nor cache mounts, nor results', async () => {
    const { stdout } = await mustBuild(['debug', ...flags, '--', 'ls', '/work', '/cache'], { root })
    assert.equal(stdout, '/cache:\nkept\n\n/work:\nleft\n')
    const again = await tsbuild((env.BUILD ?? '').split(' '), { root })
    assert.equal(stepsThat('CACHED', again).length, 3)
    assert.equal(stepsThat('ERROR', again).length, 1)
  })

  it('takes its input from a pipe, and gives the exit code of a command', async () => {
    const words = [
      'debug',
      ...flags,
      '-e',
      'MORE=1',
      '--',
      'sh',
      '-c',
      'cat; env; echo bad >&2; exit 4',
    ]
    const { status, stdout, stderr } = await tsbuild(words, { root, input: 'typed\n' })
    assert.deepEqual([status, stderr], [4, 'bad\n'])
    assert.match(stdout, /^typed\n(.*\n)*MORE=1\n/)
  })

  it('shows the files before a step, of one that succeeded too', async () => {
    const list = ['--', 'sh', '-c', 'ls / | grep first; ls /work']
    const before = await tsbuild(['debug', '--before', ...flags, ...list], { root })
    assert.equal(before.stdout, 'first\n', before.stderr)
    const builds = JSON.parse((await mustBuild(['builds', '--format=json'], { root })).stdout)
    const oldest = builds.builds.at(-1).id
    const first = await tsbuild(['debug', `${oldest}/RUN echo first`, ...list], { root })
    assert.equal(first.stdout, '', first.stderr)
    assert.match(first.stderr, /ls: \/work: No such file/)
  })

  it('says what a secret is wanted for, and which steps there are', async () => {
    const copied = await tsbuild(['debug', 'latest/v99'], { root })
    assert.equal(copied.status, 1)
    assert.match(copied.stderr, /no step "v99"/)
    const none = await tsbuild(['debug', 'nosuchbuild'], { root })
    assert.match(none.stderr, /no build "nosuchbuild".*NOT_FOUND/s)
  })

  it('follows the size of the terminal', async () => {
    await using terminal = session('tty; stty cols 70 rows 20; tsbuild debug $FLAGS; echo over')
    const [, path = ''] = await terminal.until(/(\/dev\/pts\/\d+)/)
    await terminal.prompt('$')
    terminal.type(
      `sh -c 'trap "stty size" WINCH; printf "%s%s" st arted; while :; do sleep 0.1; done'\n`,
    )
    await terminal.until(/started/)
    await run('stty', ['-F', path, 'cols', '50', 'rows', '15'])
    await terminal.until(/15 50\r\n/)
    terminal.type('\x03')
    await terminal.prompt('$')
    terminal.type('exit\n')
    await terminal.until(/over\r\n/)
  })

  it('gives the terminal back when it is ended by a signal', async () => {
    await using terminal = session(
      'before=$(stty -g); tsbuild debug $FLAGS; echo "left $?"; test "$before" = "$(stty -g)" && echo restored',
    )
    await terminal.prompt('$')
    const [command = ''] = HERE.command
    const pids = processTree(process.pid).map(({ pid }) => pid)
    const program = pids.find(
      (pid) => commandOf(pid).includes(`${command}\0`) && commandOf(pid).includes('\0debug\0'),
    )
    assert.ok(program !== undefined)
    process.kill(program, 'SIGTERM')
    await terminal.until(/left 143\r\nrestored\r\n/)
  })

  it('is opened at once for --on-failure=shell', async () => {
    await using terminal = session('tsbuild --on-failure=shell $BUILD; echo "left $?"')
    await terminal.prompt('$')
    terminal.type('ls; cat /run/secrets/token; exit 3\n')
    await terminal.until(/left\r\nvery secret\r\n/)
    await terminal.until(/left 1\r\n/)
  })

  it('reaches no terminal of the user, neither in a build nor in a shell (T-A16)', async () => {
    const pusher = directory.file('pusher')
    const descriptor = makeCallProgram(PUSH, { report: 1 })
    writeFileSync(pusher, readFileSync(`/proc/self/fd/${descriptor}`), { mode: 0o755 })
    const context = writeContext(directory.file('pushing'), {
      Dockerfile: 'FROM base\nCOPY --chmod=755 pusher /bin/pusher\nRUN pusher && false\n',
      pusher: readFileSync(pusher),
    })
    const waiting = `perl -e 'ioctl(STDIN, 0x541B, my $n = pack("i", 0)); print unpack("i", $n), "\\n"'`
    env = { ...env, CONTEXT: context, PUSHER: pusher }
    await using terminal = session(
      `tsbuild --on-failure=shell \${BUILD% *} $CONTEXT; echo waiting $(${waiting}); $PUSHER; echo control $(${waiting})`,
    )
    await terminal.prompt('#')
    terminal.type('pusher\n')
    await terminal.prompt('#')
    terminal.type('\x15exit\n')
    await terminal.until(/waiting 0\r\n/)
    // The same program does reach the terminal that it is given.
    await terminal.until(/control [1-9]/)
  })

  it('says that what a step has left is gone, when room was needed', async () => {
    await mustBuild(['prune', '--force', '--filter', 'description=what a failed step has left'], {
      root,
    })
    const { stdout, stderr } = await tsbuild(['debug', ...flags, '--', 'ls', '/work'], { root })
    assert.equal(stdout, '', stderr)
    assert.match(stderr, /not in the store/)
  })
})

const TIOCSTI = 0x5412
const O_RDWR = 2
const AT_FDCWD = -100

/** Types a line into all terminals that a process may have. */
const PUSH = [
  { call: 'openat', args: [AT_FDCWD, '/dev/tty', O_RDWR, 0], optional: true },
  ...[0, 1, 2, 3].flatMap((descriptor) =>
    ['e', '\n'].map((key) => {
      return { call: 'ioctl', args: [descriptor, TIOCSTI, key], optional: true } as const
    }),
  ),
  { call: 'exit_group', args: [0] },
] as const

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
