import assert from 'node:assert/strict'
import { closeSync, readFileSync, readlinkSync, writeSync } from 'node:fs'
import {
  CHILD,
  CHILD_ADDRESS,
  failureOf,
  makeCallProgram,
  makePipe,
  type ProgramCall,
  RECORD,
  RECORD_SIZE,
  readReports,
  runCalls,
  spawnProcess,
  waitForExit,
} from '#builder/linux'
import { PROGRAM_FAILED } from '../../../../builder/linux/programs/call-table.ts'

const REPORT = 1

describe('programs of system calls', () => {
  it('make their calls in order, and say which one failed', () => {
    const calls: readonly ProgramCall[] = [
      { call: 'chdir', args: ['/'] },
      { call: 'chdir', args: ['/nowhere'], optional: true },
      { call: 'write', args: [REPORT, RECORD, RECORD_SIZE] },
      { call: 'mount', args: ['none', '/nowhere', 0, 0, 0] },
      { call: 'write', args: [REPORT, RECORD, RECORD_SIZE] },
    ]
    const reports = runCalls(calls)
    assert.deepEqual(
      reports.map(({ index }) => index),
      [2, 3],
    )
    const [, failed] = reports
    assert.ok(failed !== undefined)
    assert.deepEqual(
      [failureOf(failed, calls).code, failureOf(failed, calls).syscall],
      ['ENOENT', 'mount'],
    )
  })

  it('pass numbers, text, bytes and lists as the kernel takes them', () => {
    const output = run([
      {
        call: 'execve',
        args: [
          '/bin/sh',
          ['sh', '-c', 'printf "%s|" "$A" "$@"; exit 5', 'zero', 'a b', '', 'ü', 0],
          [Buffer.from('A=1\0'), 0],
        ],
      },
    ])
    assert.deepEqual(output, ['1|a b||ü|', 5])
  })

  it('report the pid of what they fork, which is a child of the caller', () => {
    const CLONE_PARENT = 0x8000
    const SIGCHLD = 17
    const calls: readonly ProgramCall[] = [
      { call: 'clone', args: [CLONE_PARENT | SIGCHLD, 0, 0, 0, 0], forks: [] },
      { call: 'exit_group', args: [42] },
    ]
    const [fork] = runCalls(calls)
    assert.equal(fork?.index, 0)
    assert.equal(waitForExit(fork?.result ?? 0).exitCode, 42)
  })

  it('go on in the old process after a fork, which gets the pid of the new one', () => {
    const [CLONE_PARENT, CLONE_PARENT_SETTID, SIGCHLD, SIGKILL] = [0x8000, 0x100000, 17, 9]
    const flags = CLONE_PARENT | CLONE_PARENT_SETTID | SIGCHLD
    const { readEnd, writeEnd } = makePipe()
    const calls: readonly ProgramCall[] = [
      {
        call: 'clone',
        args: [flags, 0, CHILD_ADDRESS, 0, 0],
        forks: [
          { call: 'chdir', args: ['/nowhere'], optional: true },
          { call: 'kill', args: [CHILD, SIGKILL] },
          { call: 'mount', args: ['none', '/nowhere', 0, 0, 0] },
        ],
      },
      { call: 'close', args: [1] },
      { call: 'read', args: [3, [0], 1] },
    ]
    const reports = runCalls(calls, [readEnd])
    const [fork, failed] = reports
    const { signal } = waitForExit(fork?.result ?? 0)
    assert.equal(signal, 'SIGKILL')
    assert.ok(failed !== undefined)
    assert.equal(failureOf(failed, calls).syscall, 'mount')
    for (const descriptor of [readEnd, writeEnd]) closeSync(descriptor)
  })

  it('end where their input ends', () => {
    const { readEnd, writeEnd } = makePipe()
    closeSync(writeEnd)
    const calls: readonly ProgramCall[] = [
      { call: 'read', args: [3, [0], 1], endsAtZero: true },
      { call: 'write', args: [REPORT, RECORD, RECORD_SIZE] },
    ]
    assert.deepEqual(runCalls(calls, [readEnd]), [])
    closeSync(readEnd)
  })

  it('end with a status of their own after a failure', () => {
    assert.deepEqual(run([{ call: 'chdir', args: ['/nowhere'] }])[1], PROGRAM_FAILED)
  })

  it('lie in memory that cannot be written to, and hold nothing of the caller', () => {
    const program = makeCallProgram([{ call: 'exit_group', args: [0] }], { report: REPORT })
    try {
      assert.match(readlinkSync(`/proc/self/fd/${program}`), /^\/memfd:tsbuild/)
      assert.throws(() => writeSync(program, 'x'), { code: 'EPERM' })
      const image = readFileSync(`/proc/self/fd/${program}`)
      assert.ok(image.length < 0x11000)
      assert.doesNotMatch(image.toString('latin1'), /node|PATH|\/home|\/root/)
    } finally {
      closeSync(program)
    }
  })

  it('refuse text with a NUL, of which the kernel would take a part', () => {
    assert.throws(() => runCalls([{ call: 'chdir', args: ['/\0x'] }]), { code: 'EINVAL' })
  })

  /** What a program prints, and its status. */
  function run(calls: readonly ProgramCall[]): readonly [string, number] {
    const pipe = makePipe()
    const report = makePipe()
    const program = makeCallProgram(calls, { report: 2 })
    const pid = spawnProcess({
      program: `/proc/self/fd/${program}`,
      args: ['x'],
      env: [],
      stdout: pipe.writeEnd,
      stderr: report.writeEnd,
    })
    for (const descriptor of [program, pipe.writeEnd, report.writeEnd]) closeSync(descriptor)
    const { exitCode } = waitForExit(pid)
    const output = readFileSync(pipe.readEnd, 'utf8')
    assert.equal([...readReports(report.readEnd)].length, exitCode === PROGRAM_FAILED ? 1 : 0)
    for (const descriptor of [pipe.readEnd, report.readEnd]) closeSync(descriptor)
    return [output, exitCode]
  }
})
