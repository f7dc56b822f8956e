import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '#builder/sandbox'
import type { Ulimit } from '#core'
import {
  parseStatus,
  type SandboxFixture,
  type StepOverrides,
} from '../../../suites/sandbox/fixture.ts'
import { inProcessFixture } from '../support/fixture.ts'

const V1 = '/sys/fs/cgroup'
/** Where control groups of the first version are; limits are tried out on such machines only. */
const hasV1 = existsSync(`${V1}/pids/cgroup.procs`) && existsSync(`${V1}/memory/cgroup.procs`)

/** The number of CAP_SYS_RESOURCE. */
const SYS_RESOURCE = 24n

/** The groups below a directory, at any depth. */
function groupsBelow(directory: string): readonly string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { recursive: true })
    .map(String)
    .filter((name) => /(^|\/)tsbuild-[0-9a-z]{12}$/.test(name))
    .map((name) => join(directory, name))
}

/** Those of them that threads of this process are in. */
function ownGroups(): readonly string[] {
  const threads = new Set(readdirSync('/proc/self/task'))
  return ['pids', 'devices']
    .flatMap((name) => groupsBelow(`${V1}/${name}`))
    .filter((path) => tasksOf(path).some((task) => threads.has(task)))
}

/** Another builder may be removing its group. */
function tasksOf(path: string): readonly string[] {
  try {
    return readFileSync(`${path}/tasks`, 'utf8').split('\n')
  } catch {
    return []
  }
}

/** For groups of this process alone. */
const PARENT = `/tsbuild-test-${process.pid}`

describe('sandbox: limits', () => {
  let fixture: SandboxFixture
  before(() => {
    fixture = inProcessFixture()
  })
  after(async () => {
    const groups = hasV1 ? ownGroups() : []
    await fixture.close()
    if (!hasV1) return
    assert.ok(groups.length >= 2)
    for (const path of groups) assert.equal(existsSync(path), false, path)
  })

  it('sets the limits of processes from their start, and not those of the builder', async () => {
    // A builder without the right to raise it again loses its limit on core dumps with the first step.
    const own = (): string => readFileSync('/proc/self/limits', 'utf8').replace(/^Max core.*$/m, '')
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
    assert.deepEqual(readdirSync(`${fixture.directory}/temporary`), ['scaffold'])
  })

  if (!hasV1) return

  it('says when memory ran out', async () => {
    const resources = { memory: 24 << 20, memorySwap: 24 << 20 }
    const lines = 'x=0123456789abcdef; while :; do x=$x$x; done'
    const result = await status(['sh', '-c', lines], { resources })
    assert.deepEqual(result, { exitCode: 137, signal: 'SIGKILL', reached: 'memory' })
    assert.deepEqual(await status(['true'], { resources }), { exitCode: 0 })
  })

  it('says when there were too many processes, of which 2048 are enough', async () => {
    const script = 'for i in $(seq 30); do sleep 1 & done; wait'
    const result = await status(['sh', '-c', script], { resources: { pids: 10 } })
    assert.equal(result.reached, 'pids')
    assert.equal(await fixture.sh('cat /sys/fs/cgroup/pids/pids.max'), '2048\n')
    const bomb = 'b() { b | b & }; b; sleep 1'
    const bombed = await status(['sh', '-c', bomb], { resources: { pids: 20 } })
    assert.equal(bombed.reached, 'pids')
  })

  it('limits CPUs, and counts below the parent that is asked for', async () => {
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
    const cgroupParent = PARENT
    const script = 'echo begun; sleep 1; nproc'
    await fixture.run(['sh', '-c', script], { resources, cgroupParent, onOutput: look })
    assert.equal(output, 'begun\n1\n')
    assert.deepEqual(seen, {
      'cpu.cfs_quota_us': '50000 true',
      'cpu.cfs_period_us': '200000 true',
      'cpu.shares': '512 true',
      'cpuset.cpus': '0 true',
    })
    for (const name of ['cpu', 'cpuset', 'pids', 'devices']) {
      rmdirSync(`${V1}/${name}${cgroupParent}`)
    }
  })

  it('refuses what the kernel does not take, and keeps no group', async () => {
    const resources = { cpusetCpus: '4000' }
    const step = fixture.run(['true'], { resources, cgroupParent: PARENT })
    await assert.rejects(step, { code: 'SANDBOX_UNAVAILABLE' })
    assert.deepEqual(groupsBelow(`${V1}/cpuset${PARENT}`), [])
    rmdirSync(`${V1}/cpuset${PARENT}`)
  })

  function status(args: readonly string[], overrides: StepOverrides) {
    return run(fixture.sandbox, fixture.spec(args, overrides), { onOutput: () => undefined })
  }
})
