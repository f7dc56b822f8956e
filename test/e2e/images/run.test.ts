/** `tsbuild run`, beside docker with the same flags. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import {
  busyboxBase,
  type Dockerd,
  pushLayout,
  type Registry,
  startDockerd,
  startRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { TerminalSession } from '../past/terminal-session.ts'
import { writeContext } from '../support/context.ts'
import { HERE, mustBuild, tsbuild } from '../support/tsbuild.ts'

const DOCKERFILE = (base: string): string => `FROM ${base}
RUN echo app:x:1000:1001::/work:/bin/sh >> /etc/passwd && mkdir -p /work && echo made > /work/file
ENV A=image B=image
WORKDIR /work
USER app
CMD ["sh", "-c", "echo cmd; pwd; id -u; id -g; cat file; echo $A $B; exit 3"]
`

/** Flags, and what is run. */
const CASES: readonly (readonly string[])[] = [
  [],
  ['sh', '-c', 'echo $$; tr "\\0" " " < /proc/1/cmdline'],
  ['-e', 'A=given', '-e', 'B', 'sh', '-c', 'echo "$A [$B]"; env | sort | grep -v HOSTNAME'],
  ['-u', '0', '-w', '/new/dir', 'sh', '-c', 'id; pwd; stat -c %u:%a .'],
  ['--entrypoint', 'id', 'root'],
  ['--entrypoint', '', 'sh', '-c', 'echo none'],
  ['-h', 'named', 'hostname'],
  ['--network', 'none', 'ls', '/sys/class/net'],
  ['--tmpfs', '/t', '-u', '0', 'sh', '-c', 'stat -f -c %T /t; touch /t/x && echo written'],
  ['-v', 'FOLDER:/m', 'sh', '-c', 'cat /m/given'],
  ['-v', 'FOLDER:/m:ro', '-u', '0', 'touch', '/m/no'],
  ['--ulimit', 'nofile=77:88', 'sh', '-c', 'ulimit -Sn; ulimit -Hn'],
  ['--shm-size', '1m', 'sh', '-c', 'df -k /dev/shm | tail -1 | tr -s " " | cut -d" " -f2'],
  ['--add-host', 'other:10.1.2.3', 'grep', 'other', '/etc/hosts'],
  ['sh', '-c', 'echo out; echo err >&2; exit 42'],
  ['sh', '-c', 'kill -9 $$; kill -TERM $$; echo pid 1 is not killed'],
  ['--init', 'sh', '-c', 'kill -TERM $$'],
  ['nosuchprogram'],
  ['/etc/passwd'],
]

describe('containers that are run', function () {
  this.timeout(180_000)
  let directory: TemporaryDirectory
  let registry: Registry
  let dockerd: Dockerd
  let image: string
  const start = () => ({ root: directory.file('store'), cwd: directory.path })

  before(async () => {
    directory = temporaryDirectory('run', 0o755)
    registry = await startRegistry()
    dockerd = await startDockerd()
    await pushLayout(await busyboxBase(), `${registry.host}/busybox:latest`)
    image = `${registry.host}/app:1`
    const Dockerfile = DOCKERFILE(`${registry.host}/busybox`)
    const context = writeContext(directory.file('context'), { Dockerfile })
    await mustBuild(['-t', image, '--push', context], { root: directory.file('builder') })
    await dockerd.docker(['pull', '-q', image])
    mkdirSync(directory.file('folder'))
    writeFileSync(directory.file('folder/given'), 'given\n')
  })
  after(async () => {
    await dockerd?.[Symbol.asyncDispose]()
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  /** Flags before the image, the command behind it. */
  function words(given: readonly string[]): readonly string[] {
    const shown = given.map((word) => word.replace('FOLDER', directory.file('folder')))
    const command = shown.findIndex((word, index) => {
      const before = shown[index - 1]
      return !word.startsWith('-') && !(before?.startsWith('-') === true && takesValue(before))
    })
    const first = command < 0 ? shown.length : command
    return ['--rm', ...shown.slice(0, first), image, ...shown.slice(first)]
  }

  for (const given of CASES) {
    it(`do what docker's do: ${given.join(' ')}`, async () => {
      const ours = await tsbuild(['run', '--no-daemon', ...words(given)], start())
      const theirs = await dockerd.tryDocker(['run', ...words(given)])
      assert.equal(ours.stdout, theirs.stdout, ours.stderr)
      assert.equal(ours.status, theirs.status, ours.stderr)
    })
  }

  it('are pulled when they are missing, and not otherwise', async () => {
    const other = { root: directory.file('other') }
    const never = await tsbuild(['run', '--no-daemon', '--pull', 'never', image], other)
    assert.deepEqual([never.status, never.stdout], [125, ''])
    assert.match(never.stderr, /no such image/)
    const pulled = await tsbuild(['run', '--no-daemon', image, 'echo', 'ran'], other)
    assert.equal(pulled.stdout, 'ran\n', pulled.stderr)
    assert.match(pulled.stderr, /pulling/)
    const again = await tsbuild(['run', '--no-daemon', image, 'echo', 'ran'], other)
    assert.deepEqual([again.stdout, again.stderr], ['ran\n', ''])
  })

  it('read what comes in a pipe, and write where they may', async () => {
    const piped = await tsbuild(['run', '--no-daemon', '-i', image, 'tr', 'a-z', 'A-Z'], {
      ...start(),
      input: 'through a pipe\n',
    })
    assert.equal(piped.stdout, 'THROUGH A PIPE\n', piped.stderr)
    const folder = directory.file('made/by/run')
    await mustBuild(
      ['run', '--no-daemon', '-u', '0', '-v', `${folder}:/m`, image, 'sh', '-c', 'echo x > /m/f'],
      start(),
    )
    assert.equal(readFileSync(`${folder}/f`, 'utf8'), 'x\n')
    const gone = await tsbuild(['run', '--no-daemon', image, 'ls', '/m'], start())
    assert.equal(gone.status, 1)
  })

  it('have a terminal, and end when they are asked to', async () => {
    const program = HERE.command.map((word) => `'${word}'`).join(' ')
    const script = `${program} run --no-daemon -it ${image} sh; echo "left $?"`
    await using terminal = new TerminalSession(script, {
      TSBUILD_ROOT: directory.file('store'),
      HOME: directory.path,
    })
    await terminal.prompt('$')
    terminal.type('tty; echo $TERM; exit 7\n')
    await terminal.until(/\/dev\/pts\/0\r\nxterm\r\n.*left 7\r\n/s)
  })
})

/** Of the flags in the table, those that are no switches. */
function takesValue(flag: string): boolean {
  return !['--init', '--privileged', '-i'].includes(flag)
}
