import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { isUserNamespace } from '#builder/linux'
import type { Mount } from '#core'
import { type OpenSandbox, parseStatus, SandboxFixture, type SandboxTraits } from './fixture.ts'

/** As many as docker allows; a builder without the right to give more gives what it has. */
function mostOpenFiles(): number {
  const effective = parseStatus(readFileSync('/proc/self/status', 'utf8')).get('CapEff')
  const mayRaise = !isUserNamespace() && ((BigInt(`0x${effective}`) >> 24n) & 1n) === 1n
  const own = /^Max open files +\d+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  return mayRaise ? 1_048_576 : Number(own)
}

/** What a process is and has. */
export function processSuite(open: OpenSandbox, { bearsAnyRoot }: SandboxTraits): void {
  describe('the process', () => {
    let fixture: SandboxFixture
    before(() => {
      fixture = new SandboxFixture(open)
    })
    after(() => fixture.close())

    it('reports exit codes and signals', async () => {
      assert.equal((await fixture.run(['true'])).exitCode, 0)
      assert.equal((await fixture.run(['sh', '-c', 'exit 42'])).exitCode, 42)
      const killed = await fixture.run(['sh', '-c', 'kill -TERM $$'])
      assert.deepEqual([killed.exitCode, killed.signal], [143, 'SIGTERM'])
    })

    it('keeps the output streams apart', async () => {
      const result = await fixture.run(['sh', '-c', 'echo out; echo err >&2'])
      assert.deepEqual([result.stdout, result.stderr], ['out\n', 'err\n'])
    })

    it('gives an empty standard input and no terminal', async () => {
      assert.equal(await fixture.sh('readlink /proc/self/fd/0; cat; test ! -t 0'), '/dev/null\n')
    })

    it('gives no other standard input where a mount of the step covers /dev', async () => {
      for (const target of ['/proc/kmsg', '/proc/1/mem', '/proc/self/pagemap', '/missing']) {
        const source = fixture.layer()
        symlinkSync(target, `${source}/null`)
        const mounts: readonly Mount[] = [{ type: 'bind', target: '/dev', source, readonly: true }]
        const output = fixture.sh('readlink /proc/self/fd/0; cat', { mounts })
        if (bearsAnyRoot) assert.equal(await output, '/dev/null\n', target)
        else await assert.rejects(output, { code: 'STEP_FAILED' }, target)
      }
    })

    it('lets a user open its output by name', async () => {
      const script = 'echo one > /dev/stdout; echo two > /dev/stderr; echo three >> /proc/self/fd/1'
      const result = await fixture.run(['sh', '-c', script], { user: 'app' })
      assert.deepEqual(
        [result.exitCode, result.stdout, result.stderr],
        [0, 'one\nthree\n', 'two\n'],
      )
    })

    it('passes exactly the given environment, and HOME', async () => {
      const env = ['PATH=/bin', 'A=1', 'B=', 'C=x=y', 'D=ü\n2']
      const text = await fixture.run(['env'], { env })
      assert.equal(text.stdout, 'PATH=/bin\nA=1\nB=\nC=x=y\nD=ü\n2\nHOME=/root\n')
      const home = await fixture.run(['env'], { env: ['PATH=/bin', 'HOME=/h'], user: 'app' })
      assert.equal(home.stdout, 'PATH=/bin\nHOME=/h\n')
      const unknown = await fixture.run(['/bin/env'], { env: ['HOME='], user: '77' })
      assert.equal(unknown.stdout, 'HOME=/\n')
    })

    it('makes a missing working directory, which stays in the layer', async () => {
      const result = await fixture.run(['pwd'], { cwd: '/a/b', user: 'app' })
      assert.equal(result.stdout, '/a/b\n')
      const made = statSync(`${result.upper}/a/b`)
      assert.deepEqual([made.uid, made.mode & 0o7777], [0, 0o755])
    })

    it('enters a working directory that only root may enter', async () => {
      const layer = fixture.layer()
      mkdirSync(`${layer}/secret`, { mode: 0o700 })
      mkdirSync(`${layer}/secret/deep`, { mode: 0o755 })
      const result = await fixture.run(['readlink', '/proc/self/cwd'], {
        layer,
        cwd: '/secret/deep',
        user: 'app',
      })
      assert.equal(result.stdout, '/secret/deep\n')
    })

    it('has the usual umask, limits and session', async () => {
      const text = await fixture.sh('umask; ulimit -c; ulimit -Hc; ulimit -Sn; ulimit -Hn')
      const files = mostOpenFiles()
      assert.equal(text, `0022\n0\n0\n${files}\n${files}\n`)
      const stat = (await fixture.run(['cat', '/proc/self/stat'])).stdout.split(' ')
      const [pid, , , , group, session, terminal] = stat
      assert.deepEqual([group, session, terminal], [pid, pid, '0'])
    })

    it('has all signals at their defaults', async () => {
      const text = await fixture.run(['grep', '-E', 'SigBlk|SigIgn', '/proc/self/status'])
      assert.equal(text.stdout, 'SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n')
    })

    it('looks programs up in the PATH of the step', async () => {
      const layer = fixture.layer()
      mkdirSync(`${layer}/opt`)
      writeFileSync(`${layer}/opt/tool`, '#!/bin/sh\necho "$0 $1"\n', { mode: 0o755 })
      const result = await fixture.run(['tool', 'x y'], { layer, env: ['PATH=/nowhere:/opt'] })
      assert.equal(result.stdout, '/opt/tool x y\n')
    })

    const failures = [
      [['nothing'], /exec: "nothing": executable file not found in \$PATH/],
      [['/nothing'], /exec: "\/nothing": stat \/nothing: no such file or directory/],
      [['/etc/passwd'], /exec: "\/etc\/passwd": permission denied/],
      [['/bin'], /exec: "\/bin": is a directory: permission denied/],
      [['/script'], /exec \/script: exec format error/],
      [['sh', 'a\0b'], /NUL/],
      [['sh', '-c', 'x'.repeat(200_000)], /argument list too long/],
    ] as const
    for (const [args, message] of failures) {
      it(`says why it cannot start ${args[0]} ${args.length}`, async () => {
        const layer = fixture.layer()
        writeFileSync(`${layer}/script`, 'no interpreter\n', { mode: 0o755 })
        await assert.rejects(fixture.run(args, { layer }), { code: 'STEP_FAILED', message })
      })
    }
  })
}
