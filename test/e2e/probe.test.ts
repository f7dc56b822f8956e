import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import {
  createUser,
  ensurePackages,
  type TemporaryDirectory,
  temporaryDirectory,
  type User,
} from '../support/peers/index.ts'
import {
  compareFacts,
  Decisions,
  type Difference,
  type Facts,
  hostSince,
  makeProbeContext,
  readFacts,
  startWitness,
  thisHost,
  type Witness,
} from '../support/probe/index.ts'
import { type Installed, installedFor } from './support/installed.ts'
import { mustBuild } from './support/tsbuild.ts'

/** A uid that no passwd file and no range of subordinate ids knows. */
const STRANGER = 54_322

/** A kind of step of ours: who runs the builder, and as which user of the image it runs. */
interface Run {
  readonly name: string
  readonly builder: 'root' | 'user' | 'stranger'
  readonly who: number
  readonly network: 'none' | 'default'
  readonly runtime?: string
}

const RUNS: readonly Run[] = [
  { name: 'root', builder: 'root', who: 0, network: 'none' },
  { name: 'root-user', builder: 'root', who: 1000, network: 'none' },
  { name: 'root-network', builder: 'root', who: 0, network: 'default' },
  { name: 'root-runc', builder: 'root', who: 0, network: 'none', runtime: 'runc' },
  { name: 'root-user-runc', builder: 'root', who: 1000, network: 'none', runtime: 'runc' },
  { name: 'ids', builder: 'user', who: 0, network: 'none' },
  { name: 'ids-user', builder: 'user', who: 1000, network: 'none' },
  { name: 'ids-runc', builder: 'user', who: 0, network: 'none', runtime: 'runc' },
  { name: 'one-id', builder: 'stranger', who: 0, network: 'none' },
]

/** A fact with our value and another one, and what ours is then. */
const MEASURED = [
  ['call x86_64 165', 'EFAULT', 'EPERM', 'laxer'],
  ['call i386 020', 'killed', 'ok', 'stricter'],
  ['call i386 020', 'killed', 'EPERM', undefined],
  ['device in /dev c 10 232', 'ENXIO', 'EPERM', 'laxer'],
  ['mount /proc/keys device', 'host', 'own', 'laxer'],
  ['mount / nodev', 'yes', 'no', 'stricter'],
  ['namespace of self net', 'host', 'own', 'laxer'],
  ['limit nofile hard', '-1', '1048576', 'laxer'],
  ['group limit pids.max', '2048', 'max', 'stricter'],
  ['pid 1 Seccomp', '0', '2', 'laxer'],
  ['status NoNewPrivs', '1', '0', 'stricter'],
  ['status Groups', '0 10', '0', 'other'],
  ['path /proc/self/fd/7', 'another directory', 'pipe', 'laxer'],
  ['reads /proc/keys', 'yes', 'empty', 'laxer'],
  ['state uid_map', '0 0 4294967295', '0 1000 1', 'laxer'],
] as const

describe('what a step has and can reach', function () {
  this.timeout(300_000)
  const stack = new AsyncDisposableStack()
  const decisions = new Decisions()
  const theirs = new Map<number, Facts>()
  const found = new Map<string, Facts>()
  let context: TemporaryDirectory
  let witness: Witness
  let user: User
  let installed: Installed

  before(async function () {
    if (process.getuid?.() !== 0) this.skip()
    await ensurePackages()
    context = stack.use(temporaryDirectory('probe', 0o755))
    await makeProbeContext(context)
    witness = stack.use(await startWitness())
    user = stack.use(await createUser())
    installed = stack.use(await installedFor(user))
    for (const who of [0, 1000]) {
      const host = thisHost()
      const facts = await witness.probe(context.path, who)
      theirs.set(who, readFacts(facts, hostSince(host)))
    }
  })
  after(() => stack.disposeAsync())

  async function probe({ builder, who, network, runtime = 'none' }: Run): Promise<Facts> {
    using place = temporaryDirectory('probed', 0o777)
    const out = `type=local,dest=${place.file('out')}`
    const flags = ['--network', network, '--runtime', runtime]
    flags.push('--build-arg', `WHO=${who}`, '--output', out)
    const prefix = prefixOf(builder)
    const host = thisHost()
    await mustBuild(['build', ...flags, context.path], {
      root: place.file('store'),
      ...(prefix === undefined ? {} : { prefix, installed, cwd: '/' }),
    })
    return readFacts(readFileSync(place.file('out/facts'), 'utf8'), hostSince(host))
  }

  function prefixOf(builder: Run['builder']): readonly string[] | undefined {
    if (builder === 'root') return undefined
    const stranger = [`--reuid=${STRANGER}`, `--regid=${STRANGER}`, '--clear-groups', '--']
    return builder === 'user' ? user.prefix : ['setpriv', ...stranger]
  }

  it('is more, less or something else', () => {
    for (const [fact, ours, other, direction] of MEASURED) {
      const [difference] = compareFacts(new Map([[fact, ours]]), new Map([[fact, other]]))
      assert.equal(difference?.direction, direction, fact)
    }
  })

  for (const run of RUNS) {
    it(`is at most that of BuildKit's step, and less only as decided: ${run.name}`, async () => {
      const ours = await probe(run)
      found.set(run.name, ours)
      const measure = theirs.get(run.who)
      assert.ok(measure !== undefined && measure.size > 2000 && ours.size > 2000)
      const differences = compareFacts(ours, measure)
      const isConfined = measure.get('state attr/current')?.startsWith('docker-default')
      const comparison = {
        run: run.name,
        witness: isConfined ? `${witness.name}-apparmor` : witness.name,
      }
      assert.deepEqual(decisions.unexplained(differences, comparison).map(describeDifference), [])
    })
  }

  for (const { name, runtime } of RUNS) {
    if (runtime === undefined) continue
    it(`is the same when a runtime starts the step: ${name}`, () => {
      const [own, started] = [found.get(name.replace(`-${runtime}`, '')), found.get(name)]
      assert.ok(own !== undefined && started !== undefined)
      const differences = compareFacts(started, own).filter((one) => !isOfOldLibrary(one))
      assert.deepEqual(
        differences.map(({ fact, ours, theirs: without }) => `${fact}: ${ours}, not ${without}`),
        [],
      )
    })
  }

  it('has no decision without a difference', () => {
    assert.deepEqual(decisions.unused(), [])
  })
})

/** A call that the libseccomp of a runtime does not know is unknown in its steps. */
function isOfOldLibrary({ fact, direction, ours }: Difference): boolean {
  return fact.startsWith('call ') && direction === 'stricter' && ours === 'ENOSYS'
}

function describeDifference(one: Difference): string {
  return `${one.direction}: ${one.fact}: ${one.ours}, in BuildKit ${one.theirs}`
}
