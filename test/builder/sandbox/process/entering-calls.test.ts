import assert from 'node:assert/strict'
import type { PreparedStep } from '../../../../builder/sandbox/process/prepared-step.ts'
import { enteringCalls } from '../../../../builder/sandbox/process/step-program.ts'

const NAMESPACES = { mnt: 11, ipc: 12, uts: 13, net: 14, pid: 15 }
const CWD = 21
const REPORT = 22
const ENTRANCES = ['/groups/memory/tasks', '/groups/pids/tasks']
/** Nothing else has it. */
const FREE = 3

/** Only what the calls are made of. */
const STEP = {
  namespaces: NAMESPACES,
  root: { cwd: CWD, env: [], user: { uid: 0, gid: 0, groups: [] } },
  filter: undefined,
  profile: undefined,
  pids: 'own',
  rights: { capabilities: undefined, noNewPrivileges: false, oomScoreAdj: undefined },
  label: undefined,
} as unknown as PreparedStep

describe('a process that enters the sandbox of a step', () => {
  const openFiles = { soft: 1024n, hard: 1024n }
  const program = { step: STEP, program: '/bin/true', args: ['true'], ulimits: [], openFiles }
  const calls = enteringCalls(program, {
    ...{ report: REPORT, group: undefined, entrances: ENTRANCES },
  })
  const indexOf = (call: string, descriptor?: number): number =>
    calls.findIndex((one) => one.call === call && [undefined, one.args[0]].includes(descriptor))

  it('cannot be traced by those that are there before it can be seen', () => {
    const [first] = calls
    assert.deepEqual([first?.call, first?.args.slice(0, 2)], ['prctl', [4, 0]])
  })

  it('is seen once it has left everything of the builder', () => {
    const fork = indexOf('clone')
    const entered = calls.filter(({ call }) => call === 'setns').map(({ args }) => args[0])
    assert.deepEqual(entered.toSorted(), Object.values(NAMESPACES).toSorted())
    assert.equal(entered.at(-1), NAMESPACES.pid)
    for (const descriptor of Object.values(NAMESPACES)) {
      const closed = indexOf('close', descriptor)
      assert.ok(closed > indexOf('setns', descriptor) && closed < fork)
    }
    assert.ok(indexOf('setns', NAMESPACES.pid) < fork)
  })

  it('enters its groups before the fork, which counts in them, and leaves the way in behind', () => {
    const before = calls.slice(0, indexOf('clone'))
    for (const entrance of ENTRANCES) {
      const opened = before.findIndex(({ call, args }) => call === 'openat' && args[1] === entrance)
      assert.deepEqual(
        before.slice(opened + 1, opened + 3).map(({ call, args }) => [call, args[0]]),
        [
          ['write', FREE],
          ['close', FREE],
        ],
      )
    }
  })
})
