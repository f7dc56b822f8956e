/** What one RUN costs besides its command, as counts: time on a shared machine says little. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { run, type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { HERE } from '../support/tsbuild.ts'

/** How many times each system call was made, by its name. */
type Counts = ReadonlyMap<string, number>

const FEW = 2
const MANY = 12

/** How often they are made is a matter of the scheduler and the garbage collector. */
const BY_CHANCE = new Set([
  ...['brk', 'epoll_pwait', 'futex', 'getpid', 'io_uring_enter', 'madvise', 'mmap', 'mprotect'],
  ...[
    'munmap',
    'pread64',
    'read',
    'restart_syscall',
    'rt_sigreturn',
    'sched_yield',
    'waitid',
    'write',
  ],
])

/** At most, for a step; a larger number needs a reason. */
const LIMITS: Readonly<Record<string, readonly [limit: number, ...calls: readonly string[]]>> = {
  // Two programs of system calls, pid 1, and the step itself.
  processes: [4, 'clone', 'clone3', 'fork', 'vfork'],
  programs: [3, 'execve', 'execveat'],
  // Of mounts, IPC, names and the network in one; of processes; and of control groups, for both.
  namespaces: [4, 'unshare'],
  mounts: [34, 'mount', 'fsmount', 'move_mount'],
  'files made': [34, 'mkdir', 'mknod', 'mknodat', 'symlink', 'rename'],
  synced: [0, 'fsync', 'fdatasync', 'syncfs', 'sync_file_range'],
}
const ALL_CALLS = 900

describe('what a step costs', function () {
  this.timeout(180_000)
  let directory: TemporaryDirectory
  before(function () {
    if (process.geteuid?.() !== 0) this.skip()
    directory = temporaryDirectory('step')
  })
  after(() => directory?.[Symbol.dispose]())

  async function countsOf(steps: number): Promise<Counts> {
    const context = `context-${steps}`
    writeContext(directory.file(context), {
      Dockerfile: [
        'FROM scratch',
        'COPY --chmod=755 busybox /bin/busybox',
        ...Array.from({ length: steps }, (_, index) => `RUN ["/bin/busybox", "test", "${index}"]`),
      ].join('\n'),
      busybox: readFileSync('/bin/busybox'),
    })
    const summary = directory.file('summary')
    const flags = ['--no-cache', '--network=none', '-t', 'x', context]
    const program = [...HERE.command, ...flags]
    await run('strace', ['-f', '-qq', '-c', '-o', summary, ...program], {
      cwd: directory.path,
      env: { HOME: directory.path, TSBUILD_ROOT: directory.file('store') },
    })
    const rows = readFileSync(summary, 'utf8').matchAll(/^ *[\d.]+ +[\d.]+ +\d+ +(\d+).* (\w+)$/gm)
    return new Map(Array.from(rows, ([, count, name = '']) => [name, Number(count)]))
  }

  it('is bounded, in processes, namespaces, mounts and calls', async () => {
    // The first ones keep the compiled code, and fill the store.
    await countsOf(FEW)
    let exceeded: readonly string[] = []
    // Where a step takes a second, a place that was made for the next one has been given up.
    for (let attempt = 0; attempt < 3; attempt++) {
      const [few, many] = [await countsOf(FEW), await countsOf(MANY)]
      const perStep = differenceOf(few, many)
      assert.ok(sumOf(perStep, ['mount']) > 10)
      exceeded = exceededBy(perStep)
      if (exceeded.length === 0) return
    }
    assert.fail(exceeded.join('\n'))
  })
})

function differenceOf(few: Counts, many: Counts): Counts {
  const names = [...many.keys()].filter((name) => name !== 'total')
  return new Map(
    names.map((name) => [name, ((many.get(name) ?? 0) - (few.get(name) ?? 0)) / (MANY - FEW)]),
  )
}

function sumOf(counts: Counts, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + (counts.get(name) ?? 0), 0)
}

function exceededBy(perStep: Counts): readonly string[] {
  const found = Object.entries(LIMITS).map(([what, [limit, ...calls]]) => {
    return { what, limit, count: sumOf(perStep, calls) }
  })
  const counted = [...perStep.keys()].filter((name) => !BY_CHANCE.has(name))
  found.push({ what: 'calls', limit: ALL_CALLS, count: sumOf(perStep, counted) })
  if (takesPidNamespace()) {
    found.push({
      what: '/proc not by descriptor',
      limit: 0,
      count: 1 - sumOf(perStep, ['fsmount']),
    })
  }
  return (
    found
      // What a build does once makes a part of one for each step.
      .filter(({ limit, count }) => count >= limit + 1)
      .map(({ what, limit, count }) => `${what}: ${count}, at most ${limit}`)
  )
}

/** Whether procfs does; other tests try it. */
function takesPidNamespace(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number)
  return major > 6 || (major === 6 && minor >= 17)
}
