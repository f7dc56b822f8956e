import assert from 'node:assert/strict'
import { getResourceLimit, ownCapabilities } from '#builder/linux'
import { STEP_CAPABILITIES } from '../../../../builder/sandbox/filter/profile.ts'
import type { StepProgram } from '../../../../builder/sandbox/process/step-program.ts'
import { ociConfig, toJson } from '../../../../builder/sandbox/runtime/oci-config.ts'

type Step = Pick<StepProgram['step'], 'filter' | 'profile'>

const PLACE = { rootfs: '/scaffold/root', namespaces: { pid: '/b/pid', network: '/b/network' } }
const CWD = '/a "\u0001 b'
const FILTER = new Uint8Array(8)

/** The number of CAP_SYS_RESOURCE. */
const SYS_RESOURCE = 24n

/** The parts of a config that are looked at. */
interface Config {
  readonly process: Readonly<Record<string, unknown>> & {
    readonly capabilities: Readonly<Record<string, readonly string[]>>
    readonly rlimits: readonly { readonly type: string }[]
  }
  readonly root: unknown
  readonly mounts: readonly { readonly destination: string }[]
  readonly linux: { readonly seccomp?: { readonly defaultErrnoRet: number } }
}

function textOf(step: Step, uid: number, ulimits: StepProgram['ulimits'] = []): string {
  const root = { user: { uid, gid: 5, groups: [5, 7] }, cwdPath: CWD }
  const openFiles = { soft: 64n, hard: 4096n }
  const capabilities = step.filter === undefined ? undefined : STEP_CAPABILITIES
  const program = {
    step: { ...step, root, rights: { capabilities } },
    program: '/bin/sh',
    args: ['sh'],
    ulimits,
    openFiles,
  }
  // Of a step only what is looked at.
  return ociConfig(program as unknown as StepProgram, PLACE, ['/proc/self/fd/3'])
}

function configOf(step: Step, uid: number): Config {
  return JSON.parse(textOf(step, uid))
}

describe('the config of a container', () => {
  it('joins what there is, and leaves nothing else to the runtime than rights', () => {
    const { process, root, mounts, linux } = configOf({ filter: FILTER, profile: undefined }, 0)
    assert.deepEqual(root, { path: '/scaffold/root' })
    assert.deepEqual(
      mounts.map(({ destination }) => destination),
      ['/dev'],
    )
    const { seccomp, ...others } = linux
    assert.equal(seccomp?.defaultErrnoRet, 1)
    assert.deepEqual(others, {
      namespaces: [
        { type: 'mount' },
        { type: 'pid', path: '/b/pid' },
        { type: 'network', path: '/b/network' },
      ],
    })
    const { capabilities, user, rlimits, ...rest } = process
    assert.deepEqual(rest, {
      ...{ terminal: false, args: ['/proc/self/fd/3'], env: [], cwd: CWD },
      noNewPrivileges: false,
    })
    assert.deepEqual(user, { uid: 0, gid: 5, additionalGids: [5, 7], umask: 0o022 })
    const { bounding, effective, permitted, ...empty } = capabilities
    assert.equal(bounding?.length, 14)
    assert.ok(bounding.includes('CAP_MKNOD') && !bounding.includes('CAP_SYS_ADMIN'))
    assert.deepEqual([effective, permitted], [bounding, bounding])
    assert.deepEqual(empty, { inheritable: [], ambient: [] })
    // Those that are lowered are up to what is executed.
    assert.ok(rlimits.every(({ type }) => type === 'RLIMIT_NOFILE'))
  })

  it('gives another user no capabilities but by files that have them', () => {
    const { process } = configOf({ filter: FILTER, profile: undefined }, 1000)
    const { bounding, effective, permitted } = process.capabilities
    assert.deepEqual([effective, permitted], [[], []])
    assert.equal(bounding?.length, 14)
  })

  it('has no filter and all capabilities of this process for a step with all rights', () => {
    const { process, linux } = configOf({ filter: undefined, profile: undefined }, 0)
    assert.equal(linux.seccomp, undefined)
    assert.ok(process.capabilities.bounding?.includes('CAP_SYS_ADMIN'))
    assert.deepEqual(process.capabilities.effective, process.capabilities.bounding)
  })

  it('names the profile of AppArmor', () => {
    const { process } = configOf({ filter: FILTER, profile: 'docker-default' }, 0)
    assert.equal(process.apparmorProfile, 'docker-default')
  })

  it('has limits that are raised, where this process may raise them', () => {
    const ulimits: StepProgram['ulimits'] = [
      { name: 'nofile', soft: 77, hard: 99 },
      { name: 'memlock', soft: -1, hard: -1 },
    ]
    assert.ok(getResourceLimit(0, 'memlock').hard < 2n ** 63n, 'this process may lock any memory')
    const text = textOf({ filter: FILTER, profile: undefined }, 0, ulimits)
    const { process }: Config = JSON.parse(text)
    const mayRaise = ((ownCapabilities() >> SYS_RESOURCE) & 1n) === 1n
    assert.deepEqual(
      process.rlimits.map(({ type }) => type),
      mayRaise ? ['RLIMIT_MEMLOCK'] : [],
    )
  })

  it('has numbers of 64 bits whole', () => {
    const value = { soft: 2n ** 64n - 1n, hard: [0n], path: '/"\u00011"', count: 1 }
    const text = '{"soft":18446744073709551615,"hard":[0],"path":"/\\"\\u00011\\"","count":1}'
    assert.equal(toJson(value), text)
  })
})
