/** The commands for containers beside docker's own client, both with the same daemon. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import {
  busyboxBase,
  CLEAN_ENVIRONMENT,
  capture,
  type Dockerd,
  type Outcome,
  pushLayout,
  type Registry,
  readTree,
  startDockerd,
  startRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { TerminalSession } from '../past/terminal-session.ts'
import { HERE, tsbuild } from '../support/tsbuild.ts'

/** A command line and what is typed into it. NAME is a container of each client's own, IMAGE an image. */
interface Line {
  readonly words: string
  readonly input?: string
}

/** In this order. What a shell gets has no spaces in a word but those that stand for `_`. */
const SESSION: readonly Line[] = [
  { words: 'run --rm IMAGE echo a b' },
  { words: 'run --rm -i IMAGE tr a-z A-Z', input: 'typed\n' },
  { words: 'run --rm IMAGE sh -c echo_out;echo_err_>&2;exit_7' },
  { words: 'run --rm IMAGE nosuchprogram' },
  { words: 'run --rm IMAGE /etc/passwd' },
  { words: 'run --rm -e A=1 -w /tmp -u 7:8 -h box IMAGE sh -c echo_$A;pwd;id;hostname' },
  { words: 'run --rm --entrypoint cat IMAGE /etc/passwd' },
  { words: 'run --rm --read-only IMAGE touch /file' },
  {
    words: 'run --rm -m 64m --pids-limit 9 --cap-drop ALL IMAGE sh -c grep_Cap._.proc.self.status',
  },
  { words: 'run --restart always --rm IMAGE true' },
  { words: 'run -d --name NAME -l a=b IMAGE sh -c echo_out;sleep_0.2;echo_err_>&2;sleep_1000' },
  { words: 'run --name NAME IMAGE true' },
  {
    words:
      'ps --filter name=NAME --format {{.Names}}:{{.Image}}:{{.Command}}:{{.Label"a"}}:{{.State}}',
  },
  { words: 'ps --no-trunc -f label=a=b -f name=NAME --format table_{{.Names}}\\t{{.Labels}}' },
  { words: 'logs NAME' },
  { words: 'logs --tail 1 NAME' },
  { words: 'exec NAME sh -c echo_in;echo_err_>&2;exit_5' },
  { words: 'exec -i NAME cat', input: 'through\n' },
  { words: 'exec -u 7 -w /tmp -e B=2 NAME sh -c id_-u;pwd;echo_$B' },
  { words: 'exec -d NAME touch /made' },
  { words: 'exec NAME nosuchprogram' },
  {
    words: 'inspect -f {{.State.Status}}_{{json_.Config.Labels}}_{{.HostConfig.NetworkMode}} NAME',
  },
  {
    words:
      'inspect -f {{range_.Config.Cmd}}<{{.}}>{{end}}{{if_.State.Health}}x{{else}}y{{end}} NAME',
  },
  { words: 'inspect --type volume NAME' },
  { words: 'top NAME -o pid=,args=' },
  { words: 'pause NAME' },
  { words: 'exec NAME true' },
  { words: 'unpause NAME' },
  { words: 'rename NAME NAME-x' },
  { words: 'rename NAME-x NAME' },
  { words: 'update --pids-limit 50 NAME' },
  { words: 'port NAME' },
  { words: 'rm NAME' },
  { words: 'kill -s KILL NAME' },
  { words: 'wait NAME' },
  { words: 'start NAME' },
  { words: 'stop -t 0 NAME' },
  { words: 'stop NAME' },
  { words: 'attach NAME' },
  { words: 'commit -m text -c CMD=["echo","committed"] NAME NAME-image' },
  { words: 'run --rm NAME-image' },
  { words: 'volume create NAME-data' },
  { words: 'run --rm -v NAME-data:/data IMAGE sh -c echo_kept>/data/file' },
  { words: 'run --rm --mount source=NAME-data,target=/data,readonly IMAGE cat /data/file' },
  { words: 'volume ls -q -f name=NAME-data' },
  { words: 'volume ls -f name=NAME-data' },
  { words: 'volume inspect -f {{.Name}}:{{.Driver}} NAME-data NAME-none' },
  { words: 'volume rm NAME-data NAME-none' },
  { words: 'network ls --format {{.Name}}:{{.Driver}}:{{.Scope}}' },
  { words: 'network inspect -f {{.Name}} host NAME-none' },
  { words: 'create --name NAME-2 IMAGE cat /etc/hostname' },
  { words: 'start NAME-2 NAME-none' },
  { words: 'logs NAME-none' },
  { words: 'rm -f NAME NAME-2' },
  { words: 'rm NAME' },
  { words: 'ps -aq -f name=NAME' },
  { words: 'system df --format {{.Type}}' },
]

describe('a session of containers', function () {
  this.timeout(300_000)
  let directory: TemporaryDirectory
  let registry: Registry
  let dockerd: Dockerd
  let image: string
  const start = (input?: string) => ({
    root: directory.file('store'),
    env: { DOCKER_HOST: `unix://${dockerd.socket}`, DOCKER_CONFIG: directory.file('docker') },
    ...(input === undefined ? {} : { input }),
  })

  before(async () => {
    directory = temporaryDirectory('session')
    registry = await startRegistry()
    dockerd = await startDockerd()
    image = `${registry.host}/busybox:latest`
    await pushLayout(await busyboxBase(), image)
  })
  after(async () => {
    await dockerd?.[Symbol.asyncDispose]()
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  it('begins with an image that is pulled', async () => {
    const pulled = await tsbuild(
      ['run', '--rm', '--network', 'none', image, 'echo', 'ran'],
      start(),
    )
    assert.equal(pulled.stdout, 'ran\n', pulled.stderr)
    assert.match(
      pulled.stderr,
      /^Unable to find image '.*' locally\nlatest: Pulling from busybox\n/,
    )
    assert.match(pulled.stderr, /\nStatus: Downloaded newer image for .*\/busybox:latest\n$/)
  })

  it('shows and does what it shows and does with docker', async () => {
    const differences: object[] = []
    for (const line of SESSION) {
      const [theirs, ours] = await Promise.all([
        docker(line),
        tsbuild(wordsOf(line, 'ours'), start(line.input)),
      ])
      const [left, right] = [shown(ours, 'ours'), shown(theirs, 'dock')]
      if (!isDeepStrictEqual(left, right)) differences.push({ words: line.words, left, right })
    }
    assert.deepEqual(differences, [])
  })

  it('copies files into containers and out of them, with the rules of docker', async () => {
    const source = directory.file('source')
    mkdirSync(`${source}/folder/inner`, { recursive: true })
    writeFileSync(`${source}/file`, 'one\n', { mode: 0o640 })
    writeFileSync(`${source}/folder/inner/two`, 'two\n')
    symlinkSync('inner/two', `${source}/folder/link`)
    const all = [
      'file C:/',
      'file C:/tmp',
      'file C:/tmp/other',
      'folder C:/a',
      'folder C:/a',
      'folder/. C:/a',
    ]
    const copies = [
      ...all,
      'folder/link C:/b',
      'folder C:/none/x',
      'folder C:/file',
      'file C:/none/',
      'missing C:/',
    ]
    const back = [
      'C:/a out1',
      'C:/a out1',
      'C:/a/. out2',
      'C:/file out3',
      'C:/file out1',
      'C:/b out4',
      'C:/none out5',
      'C:/a out3',
    ]
    const results = await Promise.all(
      (['dock', 'ours'] as const).map(async (who) => {
        const name = `copy-${who}`
        await dockerd.docker(['create', '--name', name, '--network', 'none', image])
        const folder = directory.file(who)
        mkdirSync(folder)
        const statuses: unknown[] = []
        for (const [index, copy] of [...copies, ...back].entries()) {
          const here = index < copies.length ? source : folder
          const words = copy
            .split(' ')
            .map((word) => (word.startsWith('C:') ? name + word.slice(1) : `${here}/${word}`))
          const { status } =
            who === 'dock'
              ? await dockerd.tryDocker(['cp', ...words])
              : await tsbuild(['cp', ...words], start())
          statuses.push([copy, status])
        }
        const { stdout } = await dockerd.docker(['diff', name])
        const tree = [...(await readTree(folder))].map(([path, entry]) => ({ path, ...entry }))
        assert.ok(tree.length > 5 && stdout.length > 20)
        return { statuses, diff: stdout.split('\n').sort(), tree }
      }),
    )
    assert.deepEqual(results[1], results[0])
  })

  it('exports what docker exports', async () => {
    const files = await Promise.all([
      tsbuild(['export', '-o', directory.file('ours.tar'), 'copy-ours'], start()),
      dockerd.docker(['export', '-o', directory.file('dock.tar'), 'copy-ours']),
    ])
    assert.deepEqual(
      files.map(({ status }) => status),
      [0, 0],
    )
    assert.deepEqual(
      readFileSync(directory.file('ours.tar')),
      readFileSync(directory.file('dock.tar')),
    )
  })

  it('has a terminal with the size of its own, and is left by its keys', async () => {
    const program = HERE.command.map((word) => `'${word}'`).join(' ')
    const run = `${program} run -it --name typed --network none ${image} sh`
    const script = `stty rows 33 cols 77; ${run}; echo "left $?"; ${program} attach typed; echo "ended $?"`
    await using terminal = new TerminalSession(script, { ...start().env, HOME: directory.path })
    await terminal.until(/\/ # /)
    terminal.type('tty; stty size\n')
    await terminal.until(/\/dev\/(?:pts\/0|console)\r\n33 77\r\n/)
    terminal.type('\u0010\u0011')
    await terminal.until(/left 0\r\n/)
    terminal.type('echo again; exit 7\n')
    await terminal.until(/again\r\n.*ended 7\r\n/s)
    await dockerd.docker(['rm', 'typed'])
  })

  it('passes signals on', async () => {
    const command = `trap 'echo caught; exit 9' USR1; echo ready; while :; do sleep 0.1; done`
    const [program = '', ...words] = [
      ...HERE.command,
      'run',
      '--rm',
      '--network',
      'none',
      image,
      'sh',
      '-c',
      command,
    ]
    const env = { ...CLEAN_ENVIRONMENT, ...start().env, TSBUILD_ROOT: directory.file('store') }
    const { spawn } = await import('node:child_process')
    const child = spawn(program, words, { env, stdio: ['ignore', 'pipe', 'inherit'] })
    let seen = ''
    child.stdout.on('data', (data) => {
      if (!seen.includes('ready') && `${seen}${data}`.includes('ready')) child.kill('SIGUSR1')
      seen += data
    })
    const status = await new Promise((resolve) => child.once('close', resolve))
    assert.deepEqual({ seen, status }, { seen: 'ready\ncaught\n', status: 9 })
  })

  function wordsOf({ words }: Line, who: string): readonly string[] {
    return words.split(' ').flatMap((word, index) => {
      const text = word
        .replaceAll('NAME', `box-${who}`)
        .replace('IMAGE', image)
        .replace('"a"', ' "a"')
        .replace('Cap._.proc.self.status', 'Cap /proc/self/status')
        .replaceAll('_', ' ')
      const needsNetwork = index === 0 && /^(?:run|create)$/.test(word)
      return needsNetwork ? [text, '--network', 'none'] : [text]
    })
  }

  async function docker(line: Line): Promise<Outcome> {
    const { input, env } = { input: line.input ?? '', env: start().env }
    return await capture('/usr/bin/docker', wordsOf(line, 'dock'), { env, input })
  }
})

/** What is seen of a command, but for ids and for what each client calls itself. */
function shown({ status, stdout, stderr }: Outcome, who: string): object {
  const plain = (text: string): string =>
    text
      .replaceAll(`box-${who}`, 'NAME')
      .replaceAll(/\b[\da-f]{64}\b/g, 'ID')
      .replaceAll(/\b[\da-f]{12}\b/g, 'ID')
  return { status, stdout: plain(stdout), stderr: plain(messageOf(stderr)) }
}

/** The daemon's own words, of which clients of different ages make different sentences. */
function messageOf(stderr: string): string {
  const lines = stderr
    .split('\n')
    .filter((line) => !/^(?:See|Run) '|^time=|^\s*$|^hint:|failed to start/.test(line))
  return lines
    .map((line) => line.replace(/^.*?Error response from daemon: /, '').replace(/\.$/, ''))
    .map((line) =>
      /no such (?:container|network|volume|object)|network .* not found/i.test(line)
        ? 'nothing there'
        : line,
    )
    .map((line) =>
      /^(?:error|docker: |you cannot attach|tsbuild: )/i.test(line)
        ? 'an error of the client'
        : line,
    )
    .join('\n')
}
