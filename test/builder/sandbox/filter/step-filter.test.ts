import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ProgramCall, runCalls } from '#builder/linux'
import { stepFilter } from '#builder/sandbox'
import type { Mount } from '#core'
import type { SandboxFixture, StepOverrides } from '../../../suites/sandbox/fixture.ts'
import { inProcessFixture } from '../support/fixture.ts'

/** Numbers of system calls: x86-64, ARM64 (-1: it has none). */
const CALLS: Readonly<Record<string, readonly [number, number]>> = {
  acct: [163, 89],
  add_key: [248, 217],
  bpf: [321, 280],
  chroot: [161, 51],
  clone3: [435, 435],
  delete_module: [176, 106],
  fchmodat2: [452, 452],
  finit_module: [313, 273],
  fsopen: [430, 430],
  getpid: [39, 172],
  init_module: [175, 105],
  io_uring_setup: [425, 425],
  iopl: [172, -1],
  kcmp: [312, 272],
  kexec_load: [246, 104],
  keyctl: [250, 219],
  lookup_dcookie: [212, 18],
  mbind: [237, 235],
  mount: [165, 40],
  mount_setattr: [442, 442],
  move_mount: [429, 429],
  nfsservctl: [180, 42],
  open_by_handle_at: [304, 265],
  open_tree: [428, 428],
  perf_event_open: [298, 241],
  personality: [135, 92],
  pidfd_getfd: [438, 438],
  pivot_root: [155, 41],
  process_vm_readv: [310, 270],
  ptrace: [101, 117],
  quotactl: [179, 60],
  reboot: [169, 142],
  request_key: [249, 218],
  setdomainname: [171, 162],
  sethostname: [170, 161],
  setns: [308, 268],
  settimeofday: [164, 170],
  socket: [41, 198],
  swapon: [167, 224],
  syslog: [103, 116],
  umount2: [166, 39],
  unknown: [500, 500],
  unshare: [272, 97],
  userfaultfd: [323, 282],
}

const EPERM = 1
const EINVAL = 22
const ENOSYS = 38
const PR_SET_NO_NEW_PRIVS = 38

describe('sandbox: system calls', () => {
  let fixture: SandboxFixture
  before(() => {
    fixture = inProcessFixture()
  })
  after(() => fixture.close())

  it('refuses what administers the host', async () => {
    const allowed = ['clone3', 'chroot', 'fchmodat2', 'getpid', 'personality', 'process_vm_readv']
    const skipped = [...allowed, 'ptrace', 'socket', 'unknown']
    const names = Object.keys(CALLS).filter(
      (name) => !skipped.includes(name) && numberOf(name) >= 0,
    )
    const results = await probe(names.map((name) => [name]))
    assert.ok(names.length > 30)
    for (const name of names) assert.equal(results.get(name), EPERM, name)
  })

  it('refuses unshare of a user namespace, and setns of every kind', async () => {
    const results = await probe([
      ['unshare', 0x10000000],
      ['setns', 0, 0],
      ['setns', 0, 0, 1],
      ['setns', 0, 0, 2 ** 40],
    ])
    assert.deepEqual([...new Set(results.values())], [EPERM])
  })

  it('says "no such call" where programs fall back', async () => {
    const results = await probe([['clone3'], ['unknown']])
    assert.deepEqual([...results.values()], [ENOSYS, ENOSYS])
  })

  it('allows what programs need', async () => {
    const results = await probe([
      ['getpid'],
      ['personality', 0],
      ['personality', 0xffffffff],
      ['chroot', '/'],
      ['socket', 2, 1, 0],
      ['socket', 16, 3, 0],
      ['socket', 17, 3, 0],
    ])
    for (const [name, errno] of results) assert.equal(errno, 0, name)
    const rest = await probe([
      ['fchmodat2', -1, '/nothing', 0, 0],
      ['process_vm_readv', 0x7fffffff, '', 0, '', 0, 0],
      ['ptrace', 0x7fff],
    ])
    for (const [name, errno] of rest) assert.notEqual(errno, EPERM, name)
  })

  it('looks at arguments', async () => {
    const results = await probe([
      ['socket', 38, 5, 0],
      ['socket', 40, 1, 0],
      ['socket', 2 ** 32 + 38, 5, 0],
      ['personality', 0xdead],
    ])
    assert.deepEqual([...new Set(results.values())], [EPERM])
  })

  it('filters the calls of 32-bit programs by their own numbers', async () => {
    if (process.arch !== 'x64') return
    // getpid, umount2 (of 64 bits: writev), mount, socket(AF_ALG), socket(AF_VSOCK), socket(AF_UNIX), an
    // unknown one, and socketcall, which is let through to the kernel: there is no call 99 in it.
    const calls = [[20], [52], [21], [359, 38, 5], [359, 40, 1], [359, 1, 1], [500], [102, 99]]
    const layer = fixture.layer()
    for (const [index, call] of calls.entries()) {
      writeFileSync(`${layer}/int80-${index}`, programWithInt80(call), { mode: 0o755 })
    }
    const exits: number[] = []
    for (const index of calls.keys()) {
      exits.push((await fixture.run([`/int80-${index}`], { layer })).exitCode)
    }
    assert.deepEqual(exits, [0, EPERM, EPERM, EPERM, EPERM, 0, ENOSYS, EINVAL])
  })

  it('is added to a filter that is there already, also by a process without rights', () => {
    const filter = stepFilter()
    const install = { call: 'seccomp', args: [1, 0, [filter.length / 8, filter]] } as const
    const version3 = Buffer.from(Uint32Array.of(0x20080522, 0).buffer)
    const calls: readonly ProgramCall[] = [
      { call: 'prctl', args: [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0] },
      { call: 'capset', args: [version3, Buffer.alloc(24)] },
      install,
      install,
      { call: 'clone3', args: [0, 0] },
    ]
    assert.deepEqual(runCalls(calls), [{ index: calls.length - 1, result: -ENOSYS }])
  })

  /** Makes system calls in a step that runs Node; the errno of each, by its text. */
  async function probe(
    calls: readonly (readonly [string, ...(string | number)[]])[],
  ): Promise<ReadonlyMap<string, number>> {
    const list = calls.map(([name, ...args]) => [numberOf(name), ...args])
    const step = nodeStep(fixture)
    const result = await fixture.run(['/node', '-e', PROBE, JSON.stringify(list)], step)
    assert.equal(result.exitCode, 0, result.stderr)
    const errnos: readonly number[] = JSON.parse(result.stdout)
    assert.equal(errnos.length, calls.length)
    return new Map(calls.map((call, index) => [call.join(' '), errnos[index] ?? -1]))
  }
})

const PROBE = `
const koffi = require('/node_modules/koffi')
const libc = koffi.load(null)
const errnos = JSON.parse(process.argv[1]).map((call) => {
  const types = call.map((value) => (typeof value === 'string' ? 'str' : 'int64'))
  while (types.length < 7) types.push('int64')
  const made = libc.func('syscall', 'int64', types)
  const result = made(...call, ...Array(7 - call.length).fill(0))
  return result === -1 ? koffi.errno() : 0
})
console.log(JSON.stringify(errnos))
`

function numberOf(name: string): number {
  const numbers = CALLS[name]
  assert.ok(numbers !== undefined, name)
  return process.arch === 'arm64' ? numbers[1] : numbers[0]
}

/** Shows the step the Node of this process, with the libraries of the host. */
function nodeStep(fixture: SandboxFixture): StepOverrides {
  const layer = fixture.layer()
  mkdirSync(`${layer}/usr`)
  for (const name of ['lib', 'lib64']) {
    if (existsSync(`/${name}`)) symlinkSync(`usr/${name}`, `${layer}/${name}`)
  }
  const modules = dirname(dirname(fileURLToPath(import.meta.resolve('koffi'))))
  const mounts: readonly Mount[] = [
    { type: 'bind', target: '/usr', source: '/usr', readonly: true },
    { type: 'bind', target: '/node', source: process.execPath, readonly: true },
    { type: 'bind', target: '/node_modules', source: modules, readonly: true },
  ]
  return { layer, mounts }
}

/** An x86-64 program: `int $0x80` with a call of 32-bit programs; it exits with the errno, or 0. */
function programWithInt80([number = 0, first = 0, second = 0]: readonly number[]): Buffer {
  const word = (value: number): string => Buffer.from(Uint32Array.of(value).buffer).toString('hex')
  // mov eax, ebx, ecx; xor edx, edx; int 0x80; xor edi, edi; test eax, eax; cmovs edi, eax; neg edi; exit
  const code = Buffer.from(
    `b8${word(number)}bb${word(first)}b9${word(second)}31d2cd8031ff85c00f48f8f7dfb83c0000000f05`,
    'hex',
  )
  const base = 0x400000
  const file = Buffer.alloc(120 + code.length)
  file.write('7f454c46020101', 'hex')
  file.writeUInt16LE(2, 16)
  file.writeUInt16LE(62, 18)
  file.writeUInt32LE(1, 20)
  file.writeBigUInt64LE(BigInt(base + 120), 24)
  file.writeBigUInt64LE(64n, 32)
  file.writeUInt16LE(64, 52)
  file.writeUInt16LE(56, 54)
  file.writeUInt16LE(1, 56)
  file.writeUInt32LE(1, 64)
  file.writeUInt32LE(5, 68)
  file.writeBigUInt64LE(BigInt(base), 80)
  file.writeBigUInt64LE(BigInt(base), 88)
  file.writeBigUInt64LE(BigInt(file.length), 96)
  file.writeBigUInt64LE(BigInt(file.length), 104)
  file.writeBigUInt64LE(0x1000n, 112)
  code.copy(file, 120)
  return file
}
