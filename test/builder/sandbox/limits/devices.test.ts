import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { fileURLToPath } from 'node:url'
import { makeCallProgram, type ProgramCall } from '#builder/linux'
import type { SandboxFixture } from '../../../suites/sandbox/fixture.ts'
import { inProcessFixture } from '../support/fixture.ts'

const BUILDER = fileURLToPath(new URL('../support/builder-process.js', import.meta.url))

/** Leaves the builder, in a mount namespace of its own, these control groups. */
const GROUPS = {
  'of the first version': ':',
  'of the second version': 'umount_all cgroup',
  'not at all': 'umount_all cgroup; umount_all cgroup2',
} as const

const UMOUNT = `umount_all() { for m in $(awk -v t="$1" '$3 == t { print $2 }' /proc/mounts); do umount "$m" || exit 9; done; }`

/** Makes nodes in every place that can be written to, and opens them. */
const SCRIPT = [
  'for place in / /dev /dev/shm /tmp; do',
  '  mkdir -p $place; for n in "b 254 0" "b 7 0" "c 1 11" "c 10 232" "c 5 1" "c 1 3"; do',
  '    rm -f $place/d; mknod $place/d $n && head -c 1 $place/d > /dev/null 2>&1 && echo "opened $place $n"',
  '  done; rm -f $place/d',
  'done',
  'echo x > /dev/null && chmod 600 /dev/null && stat -c "null %a" /dev/null',
  'head -c 1 /dev/zero > /dev/null && echo zero',
  'for f in /proc/keys /proc/timer_list /proc/interrupts; do test ! -e $f || chmod 600 $f 2>/dev/null && echo "changed $f"; done; true',
].join('\n')

describe('sandbox: devices, limited by control groups', () => {
  let fixture: SandboxFixture
  before(() => {
    fixture = inProcessFixture()
  })
  after(() => fixture.close())

  for (const [name, without] of Object.entries(GROUPS)) {
    it(name, function () {
      if (!existsSync('/sys/fs/cgroup/unified')) this.skip()
      const before = statSync('/dev/null').mode
      const { stdout, stderr } = runBuilder(without)
      const opened = stdout.match(/^opened .*/gm) ?? []
      const usual =
        name === 'not at all' ? [] : ['opened / c 1 3', 'opened /dev c 1 3', 'opened /tmp c 1 3']
      assert.deepEqual(opened, usual, stdout + stderr)
      assert.match(stdout, /null 600\nzero\n/)
      assert.doesNotMatch(stdout, /changed/)
      assert.equal(statSync('/dev/null').mode, before)
    })
  }

  it('where the builder itself may open few', function () {
    const group = `/sys/fs/cgroup/devices/tsbuild-few-${process.pid}`
    if (!existsSync('/sys/fs/cgroup/devices/devices.list')) this.skip()
    mkdirSync(group)
    try {
      writeFileSync(`${group}/devices.deny`, 'a')
      for (const device of ['1:3', '1:5', '1:7', '1:8', '1:9', '5:0', '5:2', '136:*']) {
        writeFileSync(`${group}/devices.allow`, `c ${device} rwm`)
      }
      const { stdout, stderr } = runBuilder(`echo $$ > ${group}/cgroup.procs`)
      assert.doesNotMatch(stdout, /opened|changed/)
      assert.match(stdout, /null 600\nzero\n/, stdout + stderr)
    } finally {
      rmdirSync(group)
    }
  })

  it('of the second version, where no process can be started in one', function () {
    if (!existsSync('/sys/fs/cgroup/unified')) this.skip()
    const { stdout, stderr } = runBuilder(GROUPS['of the second version'], onOlderKernel)
    const opened = stdout.match(/^opened .*/gm) ?? []
    const usual = ['opened / c 1 3', 'opened /dev c 1 3', 'opened /tmp c 1 3']
    assert.deepEqual(opened, usual, stdout + stderr)
    assert.match(stdout, /null 600\nzero\n/)
  })

  /** A program that runs the command where clone3(2) does not exist. */
  function onOlderKernel(command: readonly string[]): readonly string[] {
    const [program = ''] = command
    const filter = clone3IsMissing()
    const calls: readonly ProgramCall[] = [
      { call: 'seccomp', args: [1, 0, [filter.length / 8, filter]] },
      { call: 'execve', args: [program, [...command, 0], [`PATH=${process.env.PATH}`, 0]] },
    ]
    const descriptor = makeCallProgram(calls, { report: 2 })
    const path = `${fixture.directory}/older-kernel`
    writeFileSync(path, readFileSync(`/proc/self/fd/${descriptor}`), { mode: 0o755 })
    closeSync(descriptor)
    return [path]
  }

  function runBuilder(
    without: string,
    wrap: (command: readonly string[]) => readonly string[] = (command) => command,
  ): ReturnType<typeof spawnSync> & { stdout: string } {
    const spec = fixture.spec(['sh', '-c', SCRIPT])
    const temporary = `${fixture.directory}/temporary`
    const document = JSON.stringify({ temporary, specs: [spec] })
    const script = `${UMOUNT}; ${without}; exec "$@"`
    const args = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh']
    const command = wrap([process.execPath, BUILDER, document])
    const ran = spawnSync('unshare', [...args, ...command], {
      encoding: 'utf8',
    })
    assert.equal(ran.status, 0, ran.stderr)
    return ran
  }
})

/** Classic BPF: `ENOSYS` for the number of clone3, which is the same on all machines. */
function clone3IsMissing(): Buffer {
  const instructions = [
    [0x20, 0, 0, 0],
    [0x15, 0, 1, 435],
    [0x06, 0, 0, 0x00050000 | 38],
    [0x06, 0, 0, 0x7fff0000],
  ] as const
  const bytes = Buffer.alloc(instructions.length * 8)
  instructions.forEach(([code, ifTrue, ifFalse, operand], index) => {
    bytes.writeUInt16LE(code, index * 8)
    bytes.writeUInt8(ifTrue, index * 8 + 2)
    bytes.writeUInt8(ifFalse, index * 8 + 3)
    bytes.writeUInt32LE(operand, index * 8 + 4)
  })
  return bytes
}
