import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { type ExitStatus, run } from '#builder/sandbox'
import type { Ulimit } from '#core'
import {
  endOf,
  needsMachineRoot,
  type OpenSandbox,
  parseStatus,
  SandboxFixture,
  type StepOverrides,
} from './fixture.ts'

const V1 = '/sys/fs/cgroup'
/** Control groups of the first version, on which these tests look from outside. */
const hasV1 = existsSync(`${V1}/pids/cgroup.procs`) && existsSync(`${V1}/memory/cgroup.procs`)

/** The number of CAP_SYS_RESOURCE. */
const SYS_RESOURCE = 24n

/** The groups below a directory, at any depth. */
function groupsBelow(directory: string): readonly string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** Limits of a process and of its control group. */
export function limitsSuite(open: OpenSandbox): void {
  describe('limits', () => {
    let fixture: SandboxFixture
    before(() => {
      fixture = new SandboxFixture(open)
    })
    after(() => fixture.close())

    it('are those of the process from its start, and not those of the builder', async () => {
      // A builder without the right to raise it again loses its limit on core dumps with the first step.
      const own = (): string =>
        readFileSync('/proc/self/limits', 'utf8').replace(/^Max core.*$/m, '')
      const before = own()
      const ulimits: Ulimit[] = [
        { name: 'nofile', soft: 77, hard: 99 },
        { name: 'fsize', soft: 4096, hard: 8192 },
        { name: 'nproc', soft: 11, hard: 12 },
        { name: 'cpu', soft: 7, hard: 9 },
      ]
      // Only with this right can those of another user's processes be set.
      const effective = parseStatus(readFileSync('/proc/self/status', 'utf8')).get('CapEff')
      const user = (BigInt(`0x${effective}`) >> SYS_RESOURCE) & 1n ? { user: 'app' } : {}
      for (let round = 0; round < 10; round++) {
        const { stdout } = await fixture.run(['cat', '/proc/self/limits'], { ulimits, ...user })
        const lines = new Map(stdout.split('\n').map((line) => [line.slice(0, 26).trim(), line]))
        assert.match(lines.get('Max open files') ?? '', / 77 +99 /)
        assert.match(lines.get('Max file size') ?? '', / 4096 +8192 /)
        assert.match(lines.get('Max processes') ?? '', / 11 +12 /)
        assert.match(lines.get('Max cpu time') ?? '', / 7 +9 /)
      }
      assert.equal(own(), before)
    })

    if (hasV1) groupTests(() => fixture)
  })
}

/** What an ordinary user without control groups of his own cannot limit. */
function groupTests(fixtureOf: () => SandboxFixture): void {
  /** For groups of these tests alone. */
  const PARENT = `/tsbuild-test-${process.pid}`
  const status = (args: readonly string[], overrides: StepOverrides): Promise<ExitStatus> => {
    const { sandbox } = fixtureOf()
    return run(sandbox, fixtureOf().spec(args, overrides), { onOutput: () => undefined })
  }

  it('of memory are reported when they are reached', async function () {
    needsMachineRoot(this)
    const resources = { memory: 24 << 20, memorySwap: 24 << 20 }
    const lines = 'x=0123456789abcdef; while :; do x=$x$x; done'
    const result = await status(['sh', '-c', lines], { resources })
    assert.deepEqual(endOf(result), { exitCode: 137, signal: 'SIGKILL', reached: 'memory' })
    const { memory = 0 } = result.used
    assert.ok(memory > 20 << 20 && memory <= 24 << 20, `${memory}`)
    assert.deepEqual(endOf(await status(['true'], { resources })), { exitCode: 0 })
  })

  it('count what a step uses with everything that it starts', async function () {
    needsMachineRoot(this)
    // Nothing waits for the second process, which takes most of the time.
    const busy = 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'
    const script = `(${busy}; touch /done) & head -c 32m /dev/zero > /dev/shm/file; until [ -e /done ]; do sleep 0.1; done`
    const { used } = await status(['sh', '-c', script], {})
    assert.ok(used.processor > 100 && used.processor < 30_000, `${used.processor}`)
    const { memory = 0, largestProcess } = used
    assert.ok(memory > 32 << 20 && memory < 64 << 20, `${memory}`)
    assert.ok(largestProcess > 1 << 18 && largestProcess < 16 << 20, `${largestProcess}`)
    const next = await status(['true'], {})
    assert.ok((next.used.memory ?? 0) < 16 << 20, 'a step counts what one before it had')
  })

  it('of processes are reported when they are reached, and 2048 by default', async function () {
    needsMachineRoot(this)
    const script = 'for i in $(seq 30); do sleep 1 & done; wait'
    const result = await status(['sh', '-c', script], { resources: { pids: 10 } })
    assert.equal(result.reached, 'pids')
    assert.equal(await fixtureOf().sh('cat /sys/fs/cgroup/pids/pids.max'), '2048\n')
    const bomb = 'b() { b | b & }; b; sleep 1'
    const bombed = await status(['sh', '-c', bomb], { resources: { pids: 20 } })
    assert.equal(bombed.reached, 'pids')
  })

  it('of CPUs count in a group below the parent that is asked for', async function () {
    needsMachineRoot(this)
    const seen: Record<string, string> = {}
    let output = ''
    const look = (_: string, data: Uint8Array): void => {
      output += Buffer.from(data).toString()
      if (output !== 'begun\n') return
      for (const [name, file] of [
        ['cpu', 'cpu.cfs_quota_us'],
        ['cpu', 'cpu.cfs_period_us'],
        ['cpu', 'cpu.shares'],
        ['cpuset', 'cpuset.cpus'],
      ] as const) {
        const [group = ''] = groupsBelow(`${V1}/${name}${PARENT}`)
        const inside = readFileSync(`${group}/cgroup.procs`, 'utf8').trim() !== ''
        seen[file] = `${readFileSync(`${group}/${file}`, 'utf8').trim()} ${inside}`
      }
    }
    const resources = { cpuQuota: 50_000, cpuPeriod: 200_000, cpuShares: 512, cpusetCpus: '0' }
    const script = 'echo begun; sleep 1; nproc'
    const overrides = { resources, cgroupParent: PARENT, onOutput: look }
    await fixtureOf().run(['sh', '-c', script], overrides)
    assert.equal(output, 'begun\n1\n')
    assert.deepEqual(seen, {
      'cpu.cfs_quota_us': '50000 true',
      'cpu.cfs_period_us': '200000 true',
      'cpu.shares': '512 true',
      'cpuset.cpus': '0 true',
    })
    for (const name of ['cpu', 'cpuset', 'pids', 'devices']) {
      assert.deepEqual(groupsBelow(`${V1}/${name}${PARENT}`), [])
      if (existsSync(`${V1}/${name}${PARENT}`)) rmdirSync(`${V1}/${name}${PARENT}`)
    }
  })

  it('that the kernel does not take are refused, and leave no group', async function () {
    needsMachineRoot(this)
    const resources = { cpusetCpus: '4000' }
    const step = fixtureOf().run(['true'], { resources, cgroupParent: PARENT })
    await assert.rejects(step, { code: 'SANDBOX_UNAVAILABLE' })
    assert.deepEqual(groupsBelow(`${V1}/cpuset${PARENT}`), [])
    rmdirSync(`${V1}/cpuset${PARENT}`)
  })
}
