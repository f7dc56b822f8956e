import assert from 'node:assert/strict'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { closeDescriptorsOnExec, makePipe, spawnProcess, waitForExit } from '#builder/linux'
import type { SpawnOptions } from '../../../../builder/linux/programs/spawn.ts'

describe('spawnProcess', () => {
  function endOf(pid: number): object {
    const { exitCode, signal } = waitForExit(pid)
    return { exitCode, signal }
  }

  /** Runs a shell script of the host; what it printed and how it ended. */
  function run(script: string, options: Partial<SpawnOptions> = {}): readonly [string, number] {
    const pipe = makePipe()
    const pid = spawnProcess({
      program: '/bin/sh',
      args: ['sh', '-c', script],
      env: [],
      stdout: pipe.writeEnd,
      ...options,
    })
    closeSync(pipe.writeEnd)
    const bytes = Buffer.alloc(65_536)
    let length = 0
    for (let count = 1; count > 0; length += count) {
      count = readSync(pipe.readEnd, bytes, length, bytes.length - length, null)
    }
    closeSync(pipe.readEnd)
    return [bytes.toString('utf8', 0, length), waitForExit(pid).exitCode]
  }

  it('passes arguments and environment exactly', () => {
    assert.deepEqual(
      run('printf "%s|" "$0" "$@"; exit 5', {
        args: ['x', '-c', 'printf "%s|" "$0" "$@"; exit 5', 'a b', '', 'ü'],
      }),
      ['a b||ü|', 5],
    )
    const [env] = run('cat /proc/self/environ', { env: ['A=1', 'B=two words', 'C='] })
    const entries = env.split('\0').filter((entry) => entry !== '' && !entry.startsWith('PWD='))
    assert.deepEqual(entries.sort(), ['A=1', 'B=two words', 'C='])
  })

  it('passes no descriptor but those named', () => {
    closeDescriptorsOnExec()
    const file = openSync('/dev/null', 'r')
    const [kept] = run('ls /proc/self/fd', { inherit: [file] })
    assert.ok(kept.split('\n').includes(String(file)))
    const [none] = run('ls /proc/self/fd')
    assert.deepEqual(none, '0\n1\n2\n3\n')
    closeSync(file)
  })

  it('starts a session, with signals at their defaults', () => {
    const [text] = run('cat /proc/self/stat; grep -E "Sig(Ign|Blk)" /proc/self/status')
    assert.match(text, /SigBlk:\t0{16}\nSigIgn:\t0{16}\n$/)
    const [, , , , group, session] = text.split(' ')
    assert.equal(group, session)
    assert.notEqual(session, readFileSync('/proc/self/stat', 'latin1').split(' ')[5])
  })

  it('tells how a process ended', () => {
    const killed = spawnProcess({ program: '/bin/sh', args: ['sh', '-c', 'kill -9 $$'], env: [] })
    assert.deepEqual(endOf(killed), { exitCode: 137, signal: 'SIGKILL' })
    const running = spawnProcess({ program: '/bin/sleep', args: ['sleep', '60'], env: [] })
    process.kill(running, 'SIGTERM')
    assert.deepEqual(endOf(running), { exitCode: 143, signal: 'SIGTERM' })
    assert.throws(() => waitForExit(running), { code: 'ECHILD' })
  })

  it('tells what a process and its children have used', () => {
    // All of it is used by a child, which was waited for.
    const script =
      'dd if=/dev/zero of=/dev/null bs=32M count=1; i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'
    const pid = spawnProcess({
      program: '/bin/sh',
      args: ['sh', '-c', `(${script}); true`],
      env: ['PATH=/bin'],
    })
    const { processor, largestProcess } = waitForExit(pid).used
    assert.ok(processor > 20 && processor < 20_000, `${processor}`)
    assert.ok(largestProcess > 32 << 20, `${largestProcess}`)
  })

  it('fails like execve', () => {
    const start = (program: string): unknown => spawnProcess({ program, args: ['x'], env: [] })
    assert.throws(() => start('/nothing'), { code: 'ENOENT', message: /exec '\/nothing'/ })
    assert.throws(() => start('/etc/passwd'), { code: 'EACCES' })
    assert.throws(() => start('/bin/sh\0x'), { code: 'EINVAL' })
  })
})
