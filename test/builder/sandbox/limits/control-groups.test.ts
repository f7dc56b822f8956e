import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { CgroupDirOptions } from '../../../../builder/sandbox/limits/cgroup-dir.ts'
import {
  type ControlGroup,
  makeControlGroup,
} from '../../../../builder/sandbox/limits/control-groups.ts'
import type { GroupSetting } from '../../../../builder/sandbox/limits/group-setting.ts'
import { groupSettings } from '../../../../builder/sandbox/limits/resource-settings.ts'
import { makeDefaultGroup } from '../../../../builder/sandbox/limits/step-groups.ts'

/** A folder that looks like control groups of the second version: files are what was written last. */
describe('sandbox: control groups of the second version', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-groups-'))
    group('', 'cpuset cpu memory pids')
    group('user', 'cpu memory pids')
    group('user/me', '')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function group(path: string, enabled: string): void {
    mkdirSync(join(folder, path), { recursive: true })
    writeFileSync(join(folder, path, 'cgroup.controllers'), 'cpuset cpu io memory pids\n')
    writeFileSync(join(folder, path, 'cgroup.subtree_control'), `${enabled}\n`)
    writeFileSync(join(folder, path, 'cgroup.procs'), '')
  }

  const system = (own = '/user/me') => ({
    mounts: `30 23 0:26 / ${folder} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n`,
    own: `0::${own}\n`,
  })

  function make(options: Partial<CgroupDirOptions>, own?: string) {
    const settings = groupSettings({ memory: 1 << 20, memorySwap: 3 << 20, pids: 5 })
    return makeControlGroup({ settings, parent: undefined, ...options }, system(own))
  }

  const pathOf = ({ directories: [directory] }: ControlGroup): string => directory?.path ?? ''
  const readIn = (made: ControlGroup, file: string): string =>
    readFileSync(join(pathOf(made), file), 'utf8')
  const read = (path: string): string => readFileSync(join(folder, path), 'utf8')

  it('makes them beside this process, where groups may have limits', () => {
    // Nothing can be enabled in a group that has processes; a directory cannot be written to either.
    rmSync(join(folder, 'user/me/cgroup.subtree_control'))
    mkdirSync(join(folder, 'user/me/cgroup.subtree_control'))
    const made = make({})
    assert.equal(dirname(pathOf(made)), join(folder, 'user'))
    assert.equal(readIn(made, 'memory.max'), `${1 << 20}`)
    assert.equal(readIn(made, 'memory.swap.max'), `${2 << 20}`)
    assert.equal(readIn(made, 'pids.max'), '5')
  })

  it('makes none that would have limits in a group with processes, but for the root', () => {
    for (const path of ['user', 'user/me']) {
      writeFileSync(join(folder, path, 'cgroup.type'), 'domain\n')
      writeFileSync(join(folder, path, 'cgroup.procs'), `${process.pid}\n`)
    }
    const settings = groupSettings({ pids: 5 })
    assert.equal(dirname(pathOf(make({ settings }))), folder)
    assert.equal(read('user/me/cgroup.subtree_control'), '\n')
    // Without a controller, processes and groups can be in one.
    const free: GroupSetting = { controller: 'devices', v1: [], v2: [] }
    assert.equal(dirname(pathOf(make({ settings: [free] }))), join(folder, 'user/me'))
    writeFileSync(join(folder, 'cgroup.type'), 'domain\n')
    writeFileSync(join(folder, 'cgroup.procs'), `${process.pid}\n`)
    assert.throws(() => make({ settings }), { code: 'SANDBOX_UNAVAILABLE' })
    const [pids] = settings
    const both = make({ settings: pids ? [{ ...pids, optional: true }, free] : [] })
    assert.deepEqual([...both.lacking.keys()], ['pids'])
    assert.equal(dirname(pathOf(both)), join(folder, 'user/me'))
  })

  it('makes them where not all is delegated, with what is', () => {
    // As systemd has it for an ordinary user, who gets no I/O.
    group('', 'cpu memory pids')
    for (const path of ['user', 'user/me']) chmodSync(join(folder, path), 0o777)
    chmodSync(join(folder, 'user/cgroup.subtree_control'), 0o666)
    chmodSync(folder, 0o755)
    writeFileSync(join(folder, 'user/me/cgroup.type'), 'domain\n')
    writeFileSync(join(folder, 'user/me/cgroup.procs'), `${process.pid}\n`)
    const optional = (['memory', 'io', 'cpu'] as const).map((controller) => {
      return { controller, v1: [], v2: [], optional: true }
    })
    const settings = [...groupSettings({ memory: 1 << 20 }), ...optional]
    asNobody(() => {
      const made = make({ settings })
      assert.equal(dirname(pathOf(made)), join(folder, 'user'))
      assert.equal(readIn(made, 'memory.max'), `${1 << 20}`)
      assert.equal(dirname(pathOf(make({ settings: optional }))), join(folder, 'user'))
      const io: GroupSetting = { controller: 'io', v1: [], v2: [] }
      assert.throws(() => make({ settings: [...settings, io] }), { code: 'SANDBOX_UNAVAILABLE' })
    })
    const holders = readdirSync(join(folder, 'user'), { recursive: true, encoding: 'utf8' })
      .filter((path) => /^tsbuild-.*subtree_control$/.test(path))
      .map((path) => read(`user/${path}`))
    assert.deepEqual(holders, ['+memory +cpu', '+memory +cpu'])
  })

  it('keeps their controllers on by an empty group beside them', () => {
    const made = make({ parent: '/user' })
    const groups = readdirSync(join(folder, 'user')).filter((name) => name.startsWith('tsbuild-'))
    assert.equal(groups.length, 2)
    const [holder = ''] = groups.filter((name) => !pathOf(made).endsWith(name))
    assert.equal(read(`user/${holder}/cgroup.subtree_control`), '+memory +pids')
  })

  it('makes them below the parent that is asked for, which gets what it lacks', () => {
    make({ parent: '/builds/mine', settings: [] })
    mkdirSync(join(folder, 'builds/mine'), { recursive: true })
    for (const path of ['builds', 'builds/mine']) group(path, 'cpu')
    const made = make({ parent: '/builds/mine' })
    assert.equal(dirname(pathOf(made)), join(folder, 'builds/mine'))
    assert.equal(read('builds/cgroup.subtree_control'), '+memory +pids')
    assert.equal(read('builds/mine/cgroup.subtree_control'), '+memory +pids')
    assert.equal(readIn(made, 'memory.max'), `${1 << 20}`)
  })

  it('limits the processes of every step', () => {
    const made = makeDefaultGroup('insecure', system())
    assert.deepEqual([...made.lacking], [])
    assert.equal(readIn(made, 'pids.max'), '2048')
    const none = makeDefaultGroup('insecure', { mounts: '', own: '' })
    assert.deepEqual([...none.lacking.keys()], ['pids'])
  })

  it('understands limits of CPUs', () => {
    const resources = { cpuShares: 1024, cpuQuota: 50_000, cpusetCpus: '0-1' }
    const made = make({ settings: groupSettings(resources), parent: '/user' })
    assert.equal(readIn(made, 'cpu.weight'), '40')
    assert.equal(readIn(made, 'cpu.max'), '50000 100000')
    assert.equal(readIn(made, 'cpuset.cpus'), '0-1')
  })

  it('understands limits of I/O', () => {
    // A device with large numbers, of which the kernel keeps some bits elsewhere.
    const device = join(folder, 'disk')
    assert.equal(spawnSync('mknod', [device, 'b', '259', '70000']).status, 0)
    const io = [{ kind: 'write-bps', device, rate: 5000 } as const]
    const made = make({ settings: groupSettings({ io }), parent: '/user' })
    assert.equal(readIn(made, 'io.max'), '259:70000 wbps=5000')
    const none = [{ kind: 'read-iops', device: join(folder, 'user'), rate: 1 } as const]
    assert.throws(() => groupSettings({ io: none }), { code: 'USAGE' })
  })

  it('understands weights of I/O, with and without the BFQ scheduler', () => {
    const device = join(folder, 'disk')
    assert.equal(spawnSync('mknod', [device, 'b', '8', '16']).status, 0)
    const resources = { ioWeight: 300, ioDeviceWeights: [{ device, weight: 200 }] }
    const settings = groupSettings(resources)
    const made = make({ settings, parent: '/user' })
    const files = (): readonly string[] =>
      readdirSync(pathOf(made)).filter((name) => name.startsWith('io.'))
    assert.deepEqual(files(), [])
    writeFileSync(join(pathOf(made), 'io.weight'), 'default 100')
    made.apply(settings)
    assert.equal(readIn(made, 'io.weight'), '2930')
    assert.deepEqual(files(), ['io.weight'])
    writeFileSync(join(pathOf(made), 'io.bfq.weight'), 'default 100')
    made.apply(groupSettings({ ioWeight: 400 }))
    assert.equal(readIn(made, 'io.bfq.weight'), '400')
    assert.equal(readIn(made, 'io.weight'), '2930')
    made.apply(settings)
    assert.equal(readIn(made, 'io.bfq.weight'), '8:16 200')
  })

  it('counts what a limit has stopped', () => {
    const made = make({ parent: '/user' })
    const path = pathOf(made)
    writeFileSync(join(path, 'memory.events'), 'low 0\nmax 0\noom 0\noom_kill 0\n')
    writeFileSync(join(path, 'pids.events'), 'max 0\n')
    assert.deepEqual(made.events(), { outOfMemory: 0, tooManyProcesses: 0 })
    writeFileSync(join(path, 'memory.events'), 'low 0\nmax 12\noom 1\noom_kill 2\n')
    writeFileSync(join(path, 'pids.events'), 'max 3\n')
    assert.deepEqual(made.events(), { outOfMemory: 2, tooManyProcesses: 3 })
  })

  it('counts what is used from then on', () => {
    const made = makeDefaultGroup('insecure', system('/user'))
    const path = pathOf(made)
    writeFileSync(join(path, 'cpu.stat'), 'usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n')
    writeFileSync(join(path, 'memory.peak'), '4096\n')
    const first = made.watchUsage()
    writeFileSync(join(path, 'cpu.stat'), 'usage_usec 4000\nuser_usec 3000\nsystem_usec 1000\n')
    writeFileSync(join(path, 'memory.peak'), '8192\n')
    assert.deepEqual(first(), { processor: 2.5, memory: 8192 })
    // The peak of the step before, which this one has not reached.
    assert.deepEqual(made.watchUsage()(), { processor: 0 })
  })

  it('limits steps where it cannot count what they use', () => {
    group('user', 'cpu pids')
    rmSync(join(folder, 'user/cgroup.controllers'))
    const made = makeDefaultGroup('insecure', system('/user'))
    assert.deepEqual([...made.lacking], [])
    assert.equal(readIn(made, 'pids.max'), '2048')
    assert.deepEqual(made.watchUsage()(), {})
  })

  it('finds this process in a mount of a part of the hierarchy', () => {
    const settings = groupSettings({ pids: 5 })
    const mounts = `30 23 0:26 /docker/x ${folder} rw - cgroup2 cgroup2 rw\n`
    const options = { settings, parent: undefined }
    const made = makeControlGroup(options, { mounts, own: '0::/docker/x/user\n' })
    assert.equal(readIn(made, 'pids.max'), '5')
  })

  it('fails where there are none', () => {
    const none = { mounts: '', own: '' }
    const options = { settings: groupSettings({ memory: 1 }), parent: undefined }
    assert.throws(() => makeControlGroup(options, none), {
      code: 'SANDBOX_UNAVAILABLE',
      message: 'limit memory: this machine has no control groups for it',
    })
    for (const path of ['', 'user', 'user/me']) {
      rmSync(join(folder, path, 'cgroup.subtree_control'))
      chmodSync(join(folder, path), 0o555)
    }
    assert.throws(() => make({}), {
      code: 'SANDBOX_UNAVAILABLE',
      message: 'limit a step: control groups cannot be made here',
    })
  })
})

const NOBODY = 65_534

/** Root may write to all files. */
function asNobody(task: () => void): void {
  process.seteuid?.(NOBODY)
  try {
    task()
  } finally {
    process.seteuid?.(0)
  }
}
