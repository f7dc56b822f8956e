import assert from 'node:assert/strict'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import {
  type OpenSandbox,
  SandboxFixture,
  type SandboxTraits,
  type StepOverrides,
} from './fixture.ts'

const SIZE = { columns: 91, rows: 23 }

/** A process that has a terminal. */
export function terminalSuite(
  open: OpenSandbox,
  { startsFirst, startsOthers }: SandboxTraits,
): void {
  describe('a terminal', () => {
    let fixture: SandboxFixture
    before(() => {
      fixture = new SandboxFixture(open)
    })
    after(() => fixture.close())

    function start(script: string, overrides: StepOverrides = {}) {
      const spec = fixture.spec(['sh', '-c', script], overrides)
      return fixture.sandbox.start(spec, { terminal: SIZE })
    }

    for (const init of startsFirst ? [true, false] : [true]) {
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

    if (startsOthers) {
      it('is another one for another process', async () => {
        await using process = await start('echo ready; cat > /dev/null')
        await once(process.stdout, 'data')
        await using other = await process.exec(
          {
            ...{
              args: [
                'sh',
                '-c',
                'tty; stty size; stat -c "%u %a" $(tty); read line; echo "<$line>"',
              ],
            },
            ...{ env: ['PATH=/bin'], cwd: '/', user: 'app' },
          },
          { terminal: { columns: 40, rows: 12 }, stdin: 'pipe' },
        )
        let seen = ''
        other.stdout.on('data', (data) => {
          const isNew = !seen.includes('620\r\n')
          seen += data
          if (isNew && seen.includes('620\r\n')) other.stdin?.write('typed\n')
        })
        const [{ exitCode }] = await Promise.all([other.wait(), finished(other.stdout)])
        assert.equal(exitCode, 0)
        assert.match(seen, /^\/dev\/pts\/[1-9]\d*\r\n12 40\r\n1000 620\r\n.*<typed>\r\n$/s)
        process.signal('SIGKILL')
        await process.wait()
      })

      it('is made for another process of one that has none', async () => {
        const spec = fixture.spec(['sh', '-c', 'echo ready; sleep 1000'])
        await using process = await fixture.sandbox.start(spec)
        await once(process.stdout, 'data')
        const given = {
          args: ['sh', '-c', 'trap "exit 4" INT; echo set; while :; do sleep 0.05; done'],
        }
        const place = { env: ['PATH=/bin'], cwd: '/', user: '' }
        await using other = await process.exec({ ...given, ...place }, { terminal: SIZE })
        await once(other.stdout, 'data')
        other.stdin?.write('\x03')
        assert.equal((await other.wait()).exitCode, 4)
      })
    }
  })
}
