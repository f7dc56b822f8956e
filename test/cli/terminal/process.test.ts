import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const DIST = new URL('../../../cli/', import.meta.url)
const LAUNCHER = fileURLToPath(new URL('../../../../cli/bin.js', import.meta.url))

/** Waits for a signal; when it comes, prints it and goes on for as long as the process is left. */
const WAITER = `
  import { watchSignals } from '${new URL('terminal/signals.js', DIST)}'
  const interrupts = watchSignals(process.env, process.argv[1] === 'hang' ? 200 : undefined)
  interrupts.signal.addEventListener('abort', () => {
    console.log(interrupts.signal.reason.message, interrupts.signal.reason.code)
    if (process.argv[1] === 'obey') process.exit(interrupts.exitCode())
  })
  setInterval(() => undefined, 1000)
  console.log('ready')
`

async function signalled(mode: 'obey' | 'ignore' | 'hang', ...signals: readonly NodeJS.Signals[]) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', WAITER, mode])
  let out = ''
  child.stdout.setEncoding('utf8')
  const lines = async (count: number): Promise<void> => {
    while (out.split('\n').length <= count) out += (await once(child.stdout, 'data'))[0]
  }
  const exited = once(child, 'exit')
  for (const [index, signal] of signals.entries()) {
    await lines(Math.min(index + 1, 2))
    child.kill(signal)
  }
  const [code, signal] = await exited
  return { code, signal, out: out.split('\n')[1] }
}

const SIGHUP = 1

/** Whether a process has a handler for a signal. */
function catches(pid: number | undefined, signal: number): boolean {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mask = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  return (mask & (1n << BigInt(signal - 1))) !== 0n
}

describe('a process', () => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    it(`is cancelled by ${signal} and exits with ${code}`, async () => {
      assert.equal((await signalled('obey', signal)).code, code)
    })
  }

  for (const ignored of [true, false]) {
    it(
      ignored ? 'goes on after a hangup that is ignored' : 'ends at a hangup that is not ignored',
      async () => {
        const script = `${ignored ? "trap '' HUP; " : ''}exec "$0" parse -`
        const child = spawn('sh', ['-c', script, LAUNCHER])
        child.stdout.resume()
        const exited = once(child, 'exit')
        while (!catches(child.pid, SIGHUP)) await setTimeout(20)
        child.kill('SIGHUP')
        await setTimeout(50)
        child.stdin.on('error', () => undefined).end('FROM scratch\n')
        assert.deepEqual(await exited, [ignored ? 0 : 129, null])
      },
    )
  }

  it('ends at the second signal, whatever it is doing', async () => {
    assert.deepEqual(await signalled('ignore', 'SIGINT', 'SIGTERM'), {
      code: null,
      signal: 'SIGINT',
      out: 'cancelled by SIGINT CANCELLED',
    })
  })

  it('ends a moment after the first signal when its work does not stop', async () => {
    assert.equal((await signalled('hang', 'SIGTERM')).signal, 'SIGTERM')
  })

  it('parses from the bundle as from its modules', () => {
    const file = fileURLToPath(new URL('../../../../fixtures/hello/Dockerfile', import.meta.url))
    const all = `import('${new URL('main.js', DIST)}').then(({ main }) => main(process.argv.slice(1)))`
    const outcome = (argv: readonly string[]): readonly unknown[] => {
      const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' })
      return [status, stdout, stderr]
    }
    for (const argv of [
      [file],
      ['--help'],
      ['--files-from', '/'],
      ['--no-such-flag'],
      ['a', 'b'],
    ]) {
      const [status, ...texts] = outcome([LAUNCHER, 'parse', ...argv])
      assert.notDeepEqual(texts, ['', ''])
      assert.deepEqual([status, ...texts], outcome(['-e', all, '--', 'parse', ...argv]))
    }
  })

  it('does not mind a reader that goes away', () => {
    const script = `"$1" "$2" --help | head -1; echo "$\{PIPESTATUS[0]}"`
    const { stdout, stderr } = spawnSync(
      'bash',
      ['-c', script, 'bash', process.execPath, LAUNCHER],
      { encoding: 'utf8' },
    )
    assert.equal(stderr, '')
    assert.match(stdout, /^tsbuild builds OCI images.*\n0\n$/)
  })

  it('works with standard streams that are closed', () => {
    const script = '"$1" "$2" nothing >&- 2>&-; echo $?'
    const argv = ['-c', script, 'sh', process.execPath, LAUNCHER]
    assert.equal(spawnSync('sh', argv, { encoding: 'utf8' }).stdout, '1\n')
  })

  it('fails when its result cannot be written', () => {
    const script = '"$1" "$2" --help > /dev/full'
    const argv = ['-c', script, 'sh', process.execPath, LAUNCHER]
    const { status, stderr } = spawnSync('sh', argv, { encoding: 'utf8' })
    assert.equal(status, 1)
    assert.match(
      stderr,
      /^ERROR: write to standard output: no space left on device.* \(NO_SPACE\)\n/,
    )
  })
})
