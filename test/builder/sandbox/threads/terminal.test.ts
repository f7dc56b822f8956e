import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import type { SandboxFixture, StepOverrides } from '../../../suites/sandbox/fixture.ts'
import { inProcessFixture } from '../support/fixture.ts'

const SIZE = { columns: 91, rows: 23 }

describe('sandbox: a terminal', () => {
  let fixture: SandboxFixture
  before(() => {
    fixture = inProcessFixture()
  })
  after(() => fixture.close())

  function start(script: string, overrides: StepOverrides = {}) {
    const spec = fixture.spec(['sh', '-c', script], overrides)
    return fixture.sandbox.start(spec, { terminal: SIZE })
  }

  for (const init of [true, false]) {
    it(`is the step's own, and its user's: init ${init}`, async () => {
      const script =
        'tty; stty size; stat -c %U:%t /proc/self/fd/0; stat -c "%u %a" $(tty); ls /dev/pts'
      await using process = await start(script, { init, user: '1000' })
      const output = text(process.stdout)
      assert.equal((await process.wait()).exitCode, 0)
      const lines = (await output).split('\r\n')
      assert.deepEqual(
        [lines[0], lines[1], lines[3], lines[4]],
        ['/dev/pts/0', '23 91', '1000 620', '0     ptmx'],
      )
      assert.equal(await text(process.stderr), '')
    })
  }

  it('is a controlling one: keys are signals, and its end is a hangup', async () => {
    await using process = await start(
      // The signal may come before the first read, or end it.
      'trap "echo interrupted" INT; echo ready; until read line; do :; done; echo "<$line>"',
    )
    let seen = ''
    process.stdout.on('data', (data) => {
      const isNew = !seen.includes('ready')
      seen += data
      if (isNew && seen.includes('ready')) process.stdin?.write('\x03')
      else if (seen.endsWith('interrupted\r\n')) process.stdin?.write('text\n')
    })
    const [{ exitCode }] = await Promise.all([process.wait(), finished(process.stdout)])
    assert.equal(exitCode, 0)
    assert.match(seen, /interrupted\r\n.*text\r\n<text>\r\n$/s)
  })

  it('tells its programs of another size', async () => {
    await using process = await start(
      'trap "stty size; exit 3" WINCH; echo ready; while :; do sleep 0.05; done',
    )
    let seen = ''
    process.stdout.on('data', (data) => {
      seen += data
      if (seen === 'ready\r\n') process.resize({ columns: 40, rows: 12 })
    })
    const [{ exitCode }] = await Promise.all([process.wait(), finished(process.stdout)])
    assert.equal(exitCode, 3)
    assert.equal(seen, 'ready\r\n12 40\r\n')
    process.resize(SIZE)
  })

  it('is kept waiting by a reader that does not read, and loses nothing', async () => {
    await using process = await start('stty -opost; seq 1 30000')
    const output = text(process.stdout)
    assert.equal((await process.wait()).exitCode, 0)
    const lines = (await output).split('\n')
    assert.deepEqual([lines.length, lines[0], lines[29_999]], [30_001, '1', '30000'])
  })

  it('ends with the handle', async () => {
    const process = await start('trap "" HUP; echo ready; sleep 60')
    await process[Symbol.asyncDispose]()
    await assert.rejects(process.wait().then(({ signal }) => assert.equal(signal, undefined)))
  })
})
