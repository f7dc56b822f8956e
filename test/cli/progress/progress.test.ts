import assert from 'node:assert/strict'
import { chooseMode, openProgress } from '../../../cli/progress/open-progress.ts'
import { fakeShell } from '../support/fake-shell.ts'

describe('the choice of a progress view', () => {
  for (const [mode, terminal, term, chosen] of [
    ['auto', true, 'xterm', 'tty'],
    ['auto', true, 'dumb', 'plain'],
    ['auto', false, 'xterm', 'plain'],
    ['tty', false, 'xterm', 'plain'],
    ['tty', true, 'xterm', 'tty'],
    ['plain', true, 'xterm', 'plain'],
    ['quiet', true, 'xterm', 'quiet'],
  ] as const) {
    it(`of ${mode} ${terminal ? 'on' : 'off'} a ${term} terminal is ${chosen}`, () => {
      assert.equal(chooseMode(mode, fakeShell({ terminal, env: { TERM: term } })), chosen)
    })
  }

  it('prints nothing when quiet', async () => {
    const shell = fakeShell()
    const progress = await openProgress('quiet', shell)
    progress.handle({ type: 'started', vertex: 'a', name: 'a', time: 0 })
    progress.close()
    assert.equal(shell.err(), '')
  })

  it('honours the log limits of the environment', async () => {
    const shell = fakeShell({ env: { BUILDKIT_STEP_LOG_MAX_SIZE: '3' } })
    const progress = await openProgress('plain', shell)
    progress.handle({ type: 'started', vertex: 'a', name: 'a', time: 0 })
    progress.handle({
      type: 'log',
      vertex: 'a',
      stream: 'stderr',
      data: Buffer.from('12345\n'),
      time: 0,
    })
    progress.close()
    assert.match(shell.err(), /^#1 \d\.\d{3} 123\n#1 .*\[output clipped, log limit 3B reached\]\n/m)
    assert.equal(shell.out(), '')
  })

  it('draws on a terminal, and gives the cursor back at the end', async () => {
    const shell = fakeShell({ terminal: true, env: { NO_COLOR: '1' } })
    const progress = await openProgress('auto', shell)
    progress.handle({ type: 'started', vertex: 'a', name: 'a', time: 0 })
    progress.handle({ type: 'done', vertex: 'a', milliseconds: 5, time: 0 })
    progress.close()
    assert.match(shell.err(), /\[\+\] Building \d\.\ds \(1\/1\) FINISHED/)
    assert.ok(shell.err().endsWith('\x1b[?25h'))
    assert.ok(!shell.err().includes('\x1b[0m'))
  })
})
