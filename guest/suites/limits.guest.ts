import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../test/support/peers/index.ts'
import { root, until, userInScope, userOutside } from './persons.ts'
import { Steps } from './steps.ts'

const GROUPS = '/sys/fs/cgroup'

/** Writes more and more to its memory. */
const EATS_MEMORY = 'x=0123456789abcdef; while :; do x=$x$x; done'

/** The groups of builders, wherever they are. */
function groups(): readonly string[] {
  return readdirSync(GROUPS, { recursive: true, encoding: 'utf8' })
    .filter((path) => /(^|\/)tsbuild-[0-9a-z]{12}$/.test(path))
    .map((path) => join(GROUPS, path))
}

/** Their files in the step's own view. */
const SHOW = 'cd /sys/fs/cgroup; for f in "$@"; do echo "$f $(cat $f)"; done'

function show(...files: readonly string[]): string {
  return `set -- ${files.join(' ')}; ${SHOW}`
}

describe('control groups of the second version, for root', () => {
  let steps: Steps
  before(async () => {
    steps = await Steps.of(root())
  })
  afterEach(() => assert.deepEqual(groups(), []))
  after(() => steps[Symbol.asyncDispose]())

  it('limit what is asked for, and the step sees it', async () => {
    const lines = await steps.linesOf(
      show('memory.max', 'memory.swap.max', 'cpu.max', 'cpu.weight', 'cpuset.cpus', 'pids.max'),
      [
        ...['--memory', '64m', '--memory-swap', '96m', '--cpu-quota', '50000'],
        ...['--cpu-shares', '512', '--cpuset-cpus', '1', '--pids-limit', '99'],
      ],
    )
    assert.deepEqual(lines, [
      `memory.max ${64 << 20}`,
      `memory.swap.max ${32 << 20}`,
      'cpu.max 50000 100000',
      'cpu.weight 20',
      'cpuset.cpus 1',
      'pids.max 99',
    ])
  })

  it('limit the processes of every step', async () => {
    assert.deepEqual(await steps.linesOf(show('pids.max')), ['pids.max 2048'])
  })

  it('of memory end a step, which is said', async () => {
    const { status, stderr } = await steps.run(EATS_MEMORY, ['-m', '32m', '--memory-swap', '32m'])
    assert.equal(status, 1)
    assert.match(stderr, /exit code: 137/)
    assert.match(stderr, /more memory than it may have/)
  })

  it('of processes are said when they are reached', async () => {
    const script = 'for i in $(seq 40); do sleep 2 & done; wait; exit 3'
    const { status, stderr } = await steps.run(script, ['--pids-limit', '20'])
    assert.equal(status, 1)
    assert.match(stderr, /more processes than it may \(20\)/)
  })

  it('of processors slow a step down', async () => {
    const busy = 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; cat /sys/fs/cgroup/cpu.stat'
    const counts = async (flags: readonly string[]): Promise<number> => {
      const line = (await steps.linesOf(busy, flags)).find((line) => /^nr_throttled /.test(line))
      return Number(line?.split(' ')[1] ?? 0)
    }
    assert.ok((await counts(['--cpu-quota', '10000'])) > 0)
    assert.equal(await counts([]), 0)
  })

  it('keep a step from the disk of the machine, of which it can make a node', async () => {
    const number = readFileSync('/sys/class/block/vda/dev', 'utf8').trim().replace(':', ' ')
    const script = `mknod /disk b ${number}; ls /disk; head -c 1 /disk 2>&1; echo x > /dev/null; head -c 1 /dev/zero | wc -c`
    const lines = await steps.linesOf(script)
    assert.deepEqual(lines, ['/disk', 'head: /disk: Operation not permitted', '1'])
  })

  it('hold while systemd arranges its own groups', async () => {
    const script = `echo begun; sleep 20; ${show('memory.max')}`
    const build = steps.start(script, ['--memory', '64m', '--cpuset-cpus', '1'])
    const ended = once(build, 'exit')
    const log = (): string => readFileSync(steps.log, 'utf8')
    await until(() => log().includes(' begun\n'))
    await run('systemctl', ['daemon-reload'])
    for (const property of ['CPUWeight=50', 'MemoryMax=50M', 'AllowedCPUs=0']) {
      await run('systemd-run', ['--wait', '--quiet', '--collect', '-p', property, 'true'])
    }
    assert.ok(!log().includes(' memory.max 6'), 'the step waits long enough')
    await ended
    assert.match(log(), new RegExp(` memory.max ${64 << 20}\n`))
  })

  it('are made below a parent', async () => {
    const flags = ['--cgroup-parent', '/mine.slice', '--pids-limit', '7']
    assert.deepEqual(await steps.linesOf(show('pids.max'), flags), ['pids.max 7'])
    assert.ok(readdirSync(GROUPS).includes('mine.slice'))
    await run('rmdir', [join(GROUPS, 'mine.slice')])
  })

  it('of a builder that was killed are removed by the next one', async () => {
    const build = steps.start('echo begun; sleep 1000', ['--memory', '64m'])
    await until(() => readFileSync(steps.log, 'utf8').includes(' begun\n'))
    const left = groups()
    assert.ok(left.length > 0)
    build.kill('SIGKILL')
    const empty = (group: string): boolean => readFileSync(`${group}/cgroup.procs`, 'utf8') === ''
    await until(() => left.every(empty))
    await steps.linesOf('true', ['--memory', '64m'])
  })
})

describe('control groups of the second version, for an ordinary user', () => {
  afterEach(() => assert.deepEqual(groups(), []))

  for (const properties of [['Delegate=yes'], []]) {
    it(`limit steps in a scope with ${properties[0] ?? 'nothing'}`, async () => {
      await using steps = await Steps.of(await userInScope(...properties))
      const flags = ['--memory', '64m', '--cpu-quota', '50000', '--pids-limit', '99']
      assert.deepEqual(await steps.linesOf(show('memory.max', 'cpu.max', 'pids.max'), flags), [
        `memory.max ${64 << 20}`,
        'cpu.max 50000 100000',
        'pids.max 99',
      ])
      assert.deepEqual(await steps.linesOf(show('pids.max')), ['pids.max 2048'])
    })
  }

  it('of memory end a step, which is said', async () => {
    await using steps = await Steps.of(await userInScope('Delegate=yes'))
    const { status, stderr } = await steps.run(EATS_MEMORY, ['-m', '32m', '--memory-swap', '32m'])
    assert.equal(status, 1)
    assert.match(stderr, /exit code: 137/)
    assert.match(stderr, /more memory than it may have/)
  })

  it('cannot be made outside, which is said with what to do', async () => {
    await using steps = await Steps.of(userOutside())
    const { status, stderr } = await steps.run('true', ['--memory', '64m'])
    assert.equal(status, 1)
    assert.match(stderr, /systemd-run --user --scope -p Delegate=yes/)
    assert.equal((await steps.run('true')).status, 0)
  })
})
