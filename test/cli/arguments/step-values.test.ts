import assert from 'node:assert/strict'
import { parseFlags } from '../../../cli/arguments/flags.ts'
import { STEP_FLAGS } from '../../../cli/arguments/step-flags.ts'
import { parseStepFlags } from '../../../cli/arguments/step-values.ts'

const parse = (...argv: readonly string[]) => parseStepFlags(parseFlags(argv, STEP_FLAGS))

describe('flags about steps', () => {
  it('become options', () => {
    assert.deepEqual(parse(), {})
    const flags = [
      ...['--allow', 'network.host', '--allow', 'security.insecure', '--shm-size', '1g'],
      ...['--add-host', 'a:10.0.0.1', '--add-host', 'b=fd00::1', '--add-host', 'c:[::1]'],
      ...['--add-host', 'd:host-gateway', '--allow=buildx.local.delete'],
      ...['--ulimit', 'nofile=10:20', '--ulimit', 'core=-1', '-m', '512m', '--memory-swap=-1'],
      ...['-c', '512', '--cpu-period', '1000', '--cpu-quota=-1', '--cpuset-cpus', '0-1'],
      ...['--device-read-bps', '/dev/sda:10m', '--device-write-iops', '/dev/a:b:50'],
      ...['--cpuset-mems', '0', '--pids-limit', '100', '--cgroup-parent', '/x'],
    ]
    assert.deepEqual(parse(...flags), {
      allow: ['network.host', 'security.insecure', 'buildx.local.delete'],
      extraHosts: [
        ['a', '10.0.0.1'],
        ['b', 'fd00::1'],
        ['c', '::1'],
        ['d', 'host-gateway'],
      ],
      shmSize: 1024 ** 3,
      ulimits: [
        { name: 'nofile', soft: 10, hard: 20 },
        { name: 'core', soft: -1, hard: -1 },
      ],
      resources: {
        ...{ memory: 512 << 20, memorySwap: -1, cpuShares: 512, cpuPeriod: 1000, cpuQuota: -1 },
        ...{ cpusetCpus: '0-1', cpusetMems: '0', pids: 100 },
        io: [
          { kind: 'read-bps', device: '/dev/sda', rate: 10 << 20 },
          { kind: 'write-iops', device: '/dev/a:b', rate: 50 },
        ],
      },
      cgroupParent: '/x',
    })
  })

  for (const [argv, message] of [
    [['--shm-size', 'big'], 'invalid --shm-size "big"'],
    [['--memory', '1x'], 'invalid --memory "1x"'],
    [['--ulimit', 'nofile'], 'invalid ulimit argument: nofile'],
    [['--ulimit', 'nofile=a'], 'invalid ulimit argument: nofile=a'],
    [['--add-host', 'a'], 'invalid --add-host "a"'],
    [['--device-read-bps', 'sda:1m'], 'invalid --device-read-bps "sda:1m"'],
    [['--device-read-iops', '/dev/sda:1m'], 'invalid --device-read-iops "/dev/sda:1m"'],
    [['--pids-limit', '1.5'], 'invalid --pids-limit "1.5"'],
  ] as const) {
    it(`are refused: ${argv.join(' ')}`, () => {
      assert.throws(() => parse(...argv), { code: 'USAGE', message })
    })
  }
})
