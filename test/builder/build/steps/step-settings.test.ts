import assert from 'node:assert/strict'
import { existsSync, readlinkSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import type { BuildOptions } from '#builder'
import { outputOf, putShell, SHELL_BASE } from '../support/shell-base.ts'
import { Workplace } from '../support/workplace.ts'

const hasGroups = existsSync('/sys/fs/cgroup/memory/cgroup.procs')

describe('build: settings of RUN steps', () => {
  let at: Workplace
  before(async () => {
    at = await Workplace.open()
    putShell(at)
  })
  after(() => at[Symbol.asyncDispose]())

  const build = (lines: readonly string[], options: Partial<BuildOptions> = {}) =>
    at.build([...SHELL_BASE, 'FROM base', ...lines], options)
  const run = async (line: string, options: Partial<BuildOptions> = {}): Promise<string> =>
    outputOf(await build([`RUN ${line}`], options))

  it('need a right for what is dangerous', async () => {
    const message = 'security.insecure is not allowed'
    const insecure = '--security=insecure grep Seccomp: /proc/self/status'
    await assert.rejects(run(insecure), { code: 'PERMISSION_DENIED', message })
    assert.match(await run(insecure, { allow: ['security.insecure'] }), /\t0\n/)
    const sandbox = '--security=sandbox grep Seccomp: /proc/self/status'
    assert.match(await run(sandbox, { allow: ['security.insecure'] }), /\t2\n/)
    const host = '--network=host readlink /proc/self/ns/net'
    const denied = { code: 'PERMISSION_DENIED', message: 'network.host is not allowed' }
    await assert.rejects(run(host), denied)
    await assert.rejects(run(host, { allow: ['security.insecure'] }), denied)
    const own = readlinkSync('/proc/self/ns/net')
    assert.equal(await run(host, { allow: ['network.host'] }), `${own}\n`)
    assert.equal(await run(`${host} # again`, { network: 'host' }), `${own}\n`)
    const none = '--network=none ls /sys/class/net | tr "\\n" " "'
    assert.doesNotMatch(await run(none, { network: 'host' }), /eth|ens|tap/)
  })

  for (const [line, problem] of [
    ['--security=INSECURE true', 'security "INSECURE" is not valid'],
    ['--security=foo true', 'security "foo" is not valid'],
    ['--security=sandbox,insecure true', 'security "sandbox,insecure" is not valid'],
    ['--network=Host true', 'invalid network mode "Host"'],
  ] as const) {
    it(`are refused, rights or not: ${line}`, async () => {
      const allow = ['network.host', 'security.insecure'] as const
      await assert.rejects(run(line, { allow }), (error: Error) => error.message.endsWith(problem))
    })
  }

  it('add hosts, whose names but not addresses are in the key', async () => {
    const line = 'grep -c 10.1.1 /etc/hosts || true'
    assert.equal(await run(line, { extraHosts: [['a', '10.1.1.1']] }), '1\n')
    assert.equal(await run(line, { extraHosts: [['a', '10.1.1.2']] }), '')
    assert.equal(await run(line), '0\n')
  })

  it('know this machine as host-gateway', async () => {
    const gateway = async (network: 'host' | 'default'): Promise<string> => {
      const line = `awk '$2 == "me" { print $1 }' /etc/hosts # ${network}`
      return await run(line, { network, extraHosts: [['me', 'host-gateway']] })
    }
    assert.equal(await gateway('host'), '127.0.0.1\n')
    const own = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
    assert.ok(own.map(({ address }) => `${address}\n`).includes(await gateway('default')))
  })

  it('say how large /dev/shm is and what processes may use', async () => {
    const shm = 'df -k /dev/shm | tail -1 | tr -s " " | cut -d " " -f 2'
    assert.equal(await run(shm, { shmSize: 1 << 20 }), '1024\n')
    assert.equal(await run(shm), '65536\n')
    const limit = { name: 'nofile', soft: 50, hard: 60 } as const
    assert.equal(await run('ulimit -n; ulimit -Hn', { ulimits: [limit] }), '50\n60\n')
  })

  it('are checked before any work', async () => {
    for (const [options, message] of [
      [{ allow: ['device' as 'network.host'] }, 'invalid entitlement "device"'],
      [{ extraHosts: [['a', 'b c']] as const }, 'invalid extra host "a:b c"'],
      [{ extraHosts: [['a\nb', '1.1.1.1']] as const }, 'invalid extra host "a\nb:1.1.1.1"'],
      [{ shmSize: 0 }, 'invalid shm-size: 0'],
      [
        { ulimits: [{ name: 'files' as 'nofile', soft: 1, hard: 1 }] },
        'invalid ulimit type: files',
      ],
      [
        { ulimits: [{ name: 'nofile', soft: 10, hard: 5 }] as const },
        'ulimit soft limit must be less than or equal to hard limit: 10 > 5',
      ],
      [{ resources: { memory: 0 } }, 'invalid memory: 0'],
      [{ resources: { memorySwap: 5 } }, 'memory-swap needs a smaller memory limit beside it'],
      [{ resources: { cpusetCpus: '0;1' } }, 'invalid list of CPUs or memory nodes "0;1"'],
      [{ cgroupParent: '/../x' }, 'invalid cgroup-parent "/../x"'],
    ] as const) {
      const built = at.build('FROM 127.0.0.1:1/never/asked', options)
      await assert.rejects(built, { code: 'USAGE', message })
    }
  })

  if (!hasGroups) return

  it('limit memory and say so, outside of the key', async () => {
    const lines = ['RUN x=0123456789abcdef; while :; do x=$x$x; done']
    const resources = { memory: 24 << 20, memorySwap: 24 << 20 }
    await assert.rejects(build(lines, { resources }), (error: Error & { hint?: string }) => {
      return (
        /exit code: 137, out of memory with 2[234] MiB in use$/.test(error.message) &&
        /raise --memory/.test(error.hint ?? '')
      )
    })
    assert.equal(await run('echo limited', { resources }), 'limited\n')
    assert.equal(await run('echo limited'), '')
  })
})
