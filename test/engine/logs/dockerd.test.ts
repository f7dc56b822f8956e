import assert from 'node:assert/strict'
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ContainerLog, checkLogOptions, type LogLine, type LogOptions } from '#engine/logs'
import { DockerdLab, folderOf } from './support/dockerd-lab.ts'
import { CONTAINER, fileOf, filesIn, linesOf, logIn, textOf } from './support/log-lab.ts'

/** What may go wrong in a string of JSON, in UTF-8, and at the ends of pieces. */
const PRINTED: Readonly<Record<string, Buffer>> = {
  bytes: Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
  text: Buffer.from('<a> & "q" \\ / \u2028\u2029 \u{1f600} \ufffd \t\r\n\n\r\nno end'),
  broken: Buffer.from(
    'e2820af09f980aeda0800ac0800af49080800aff0ac20ae0a00ac3e2820af09f98800ae281810a',
    'hex',
  ),
  long: Buffer.from(
    [16_383, 16_384, 16_385, 40_000, 3, 32_768].map((n) => `${'y'.repeat(n)}\n`).join('') +
      `${'é'.repeat(8_192)}\n`,
  ),
}

describe('log of a container beside dockerd', () => {
  let lab: DockerdLab
  before(async () => {
    lab = await DockerdLab.start()
  })
  after(() => lab[Symbol.asyncDispose]())

  it('has the same entries in json-file', async () => {
    const options: LogOptions = {
      labels: 'role,absent',
      'labels-regex': '^com\\.',
      env: 'B',
      'env-regex': '^A$',
      tag: '{{.Name}} {{ .ImageName }} {{.DaemonName}}<{{.ContainerName}}',
    }
    for (const [name, bytes] of Object.entries(PRINTED)) {
      writeFileSync(lab.folder.file(name), bytes)
      const words = flagsOf(options)
      const labels = Object.entries(CONTAINER.labels).map(([key, value]) => `${key}=${value}`)
      const env = CONTAINER.env.flatMap((entry) => ['--env', entry])
      const path = await lab.run(
        name,
        [...words, ...labels.flatMap((label) => ['--label', label]), ...env],
        ['cat', `/d/${name}`],
      )
      const folder = lab.folder.file(`ours-${name}`)
      await using log = logIn(folder, { options, container: { ...CONTAINER, name } })
      await log.write('stdout', bytes)
      await log.end()
      const theirs = withoutTimes(readFileSync(path, 'utf8'))
      assert.ok(theirs.length > 1 && theirs[0]?.includes('"attrs":{"A":"1"'))
      assert.deepEqual(withoutTimes(readFileSync(fileOf(folder), 'utf8')), theirs)
    }
  })

  it('reads what docker has written, as docker reads it', async () => {
    const script = 'i=0; while [ $i -lt 400 ]; do echo line $i; i=$((i+1)); done; echo end >&2'
    const kinds: Readonly<Record<string, LogOptions>> = {
      one: {},
      rotated: { 'max-size': '5k', 'max-file': '4' },
      compressed: { 'max-size': '5k', 'max-file': '50', compress: 'true' },
    }
    for (const [name, options] of Object.entries(kinds)) {
      const words = flagsOf(options)
      const path = await lab.run(name, words, ['sh', '-c', script])
      const id = await lab.inspect(name, '{{.Id}}')
      await using log = logIn(folderOf(path), { options, container: { ...CONTAINER, id } })
      const lines = await linesOf(log)
      assert.ok(lines.length > 100)
      assert.equal(stamped(lines), await lab.logs(name, '--timestamps'))
      for (const tail of [0, 1, 7, 90, 5_000]) {
        const ours = await linesOf(log, { tail })
        assert.equal(stamped(ours), await lab.logs(name, '--timestamps', `--tail=${tail}`))
      }
      const [since = 0n, until = 0n] = [lines[33]?.time, lines[77]?.time]
      const span = [`--since=${seconds(since)}`, `--until=${seconds(until)}`]
      const ours = await linesOf(log, { since, until })
      assert.ok(ours.length >= 20 && ours.length < lines.length)
      assert.equal(stamped(ours), await lab.logs(name, '--timestamps', ...span))
    }
  })

  it('writes what docker reads', async () => {
    const options = { 'max-size': '5k', 'max-file': '9', compress: 'true' }
    const words = flagsOf(options)
    const path = await lab.run('stand-in', words, ['true'])
    const folder = lab.folder.file('ours')
    const id = await lab.inspect('stand-in', '{{.Id}}')
    const renamed = (name: string): string => name.replace(CONTAINER.id, id)
    const log = logIn(folder, { options })
    for (let number = 0; number < 500; number++) {
      await log.write('stdout', Buffer.from(`line ${number}\n`))
    }
    await log.write('stdout', PRINTED.text ?? Buffer.alloc(0))
    await log.end()
    const ours = await linesOf(log)
    await compressed(log, fileOf(folder))
    const names = filesIn(folder)
    assert.ok(names.length > 5)
    for (const name of names) copyFileSync(join(folder, name), join(folderOf(path), renamed(name)))
    assert.ok(ours.length > 400)
    assert.equal(stamped(ours), await lab.logs('stand-in', '--timestamps'))
    assert.equal(await textOf(log, { tail: 70 }), await lab.logs('stand-in', '--tail=70'))
  })

  it('refuses the same drivers and options', async () => {
    // When it is made, and when it is started.
    await expectRefusals('create', [
      ['json-file', { x: '1' }],
      ['local', { x: '1' }],
      ['', { mode: 'foo' }],
      ['', { 'max-buffer-size': '1m' }],
      ['', { mode: 'blocking', 'max-buffer-size': '1m' }],
      ['', { mode: 'non-blocking', 'max-buffer-size': 'xx' }],
    ])
    await expectRefusals('run', [
      ['json-file', { 'max-file': '0' }],
      ['json-file', { 'max-size': '1m', compress: 'true' }],
      ['local', { 'max-file': '1' }],
    ])
  })

  type Case = readonly [driver: string, options: LogOptions]

  async function expectRefusals(command: 'create' | 'run', cases: readonly Case[]): Promise<void> {
    for (const [driver, options] of cases) {
      const named = driver === '' ? [] : ['--log-driver', driver]
      const words = [command, '--rm', '--network', 'none', ...named, ...flagsOf(options)]
      const { stderr } = await lab.dockerd.tryDocker([...words, 'busybox', 'true'])
      const [, message = 'nothing'] = /response from daemon: (.*?)\.?$/m.exec(stderr) ?? []
      const said = refusal(lab.folder.file('refused'), driver, options)
      // Today's docker says what it was about to do.
      assert.equal(said.replace('failed to create task for container: ', ''), message)
    }
  }
})

function refusal(folder: string, driver: string, options: LogOptions): string {
  try {
    logIn(folder, { driver: checkLogOptions(driver, options), options })
  } catch (cause) {
    return cause instanceof Error ? cause.message : ''
  }
  return 'it was not refused'
}

function flagsOf(options: LogOptions): readonly string[] {
  return Object.entries(options).flatMap(([key, value]) => ['--log-opt', `${key}=${value}`])
}

function withoutTimes(text: string): readonly string[] {
  return text.split('\n').map((line) => line.replace(/,"time":"[^"]*"\}$/, ''))
}

/** What docker prints of an output, with times. */
function stamped(lines: readonly LogLine[]): string {
  return lines
    .filter(({ stream }) => stream === 'stdout')
    .map(
      ({ time, data, isContinued }) => `${isContinued ? '' : `${iso(time)} `}${Buffer.from(data)}`,
    )
    .join('')
}

function iso(time: bigint): string {
  const seconds = new Date(Number(time / 1_000_000n)).toISOString().slice(0, 19)
  return `${seconds}.${String(time % 1_000_000_000n).padStart(9, '0')}Z`
}

function seconds(time: bigint): string {
  return `${time / 1_000_000_000n}.${String(time % 1_000_000_000n).padStart(9, '0')}`
}

/** Until the last file that was full is compressed. */
async function compressed(log: ContainerLog, path: string): Promise<void> {
  while (!existsSync(`${path}.1.gz`) || existsSync(`${path}.1`)) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await log.end()
}
