import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type TemporaryDirectory,
  temporaryDirectory,
  untilEmpty,
} from '../../../support/peers/index.ts'
import { seededRandom } from '../../../support/random/index.ts'
import { writeContext } from '../../support/context.ts'
import {
  foreignPidNamespaces,
  groupsOf,
  mountsOf,
  processTree,
  survivors,
} from '../../support/processes.ts'
import { storeFaults } from '../../support/store-check.ts'
import { mustBuild, startTsbuild, stepsThat } from '../../support/tsbuild.ts'

const SEED = 7_291

const OUTPUT = 'type=image,rewrite-timestamp=true,name=x'

/** Milliseconds after which nothing of a killed builder may run. */
const PROMPTLY = 1000

/** Layers and steps of all kinds: with limits, a network, a cache, a secret, and what does not want to end. */
const DOCKERFILE = [
  'FROM scratch AS base',
  'COPY --chmod=755 busybox /bin/busybox',
  'SHELL ["/bin/busybox", "sh", "-c"]',
  'RUN /bin/busybox --install -s /bin',
  'FROM base AS daemons',
  `RUN (setsid sh -c "trap '' TERM HUP; sleep 1000" &); echo a > /a`,
  'RUN --mount=type=cache,target=/cache echo b > /b; echo b > /cache/b',
  'RUN --network=none --mount=type=secret,id=key cat /run/secrets/key > /dev/null; echo c > /c',
  'FROM base AS waiting',
  'RUN sleep 0.2; mkdir /many; for i in $(seq 300); do echo $i > /many/$i; done',
  `RUN trap '' TERM INT HUP; sleep 0.2; echo d > /d`,
  'FROM base',
  'COPY --from=daemons /a /b /c /',
  'COPY --from=waiting /many /many',
  'COPY --from=waiting /d /d',
  'RUN cat /a /b /c /d > /all',
].join('\n')

/** Whom a signal goes to that nothing can handle. */
type Victim = 'builder' | 'group' | 'helper' | 'first' | 'step'

const VICTIMS: readonly Victim[] = ['builder', 'group', 'builder', 'helper', 'first', 'step']

/** Kills some process of a build at a random moment, again and again, and builds on in between. */
export function victimsSuite(rounds: number): void {
  let directory: TemporaryDirectory
  before(() => {
    directory = temporaryDirectory('victims')
    const busybox = readFileSync('/bin/busybox')
    writeContext(directory.file('context'), { Dockerfile: DOCKERFILE, busybox })
    writeContext(directory.path, { key: 'the secret' })
  })
  after(() => directory?.[Symbol.dispose]())

  const context = (): string[] => [
    ...['--secret', `id=key,src=${directory.file('key')}`],
    directory.file('context'),
  ]
  const args = (): string[] => [
    ...['--memory', '256m', '--cpu-shares', '512', '--jobs', '3'],
    ...['--build-arg', 'SOURCE_DATE_EPOCH=0', '--output', OUTPUT],
    ...context(),
  ]

  it('leaves nothing of any of its processes', async () => {
    const random = seededRandom(SEED)
    const control = await mustBuild(args(), { root: directory.file('control') })
    const began = performance.now()
    await mustBuild(args(), { root: directory.file('again') })
    const time = performance.now() - began
    let killed = 0
    let stores = 0
    let done: readonly string[] = []
    const groups: string[] = []
    while (killed < rounds) {
      const root = directory.file(`store-${stores}`)
      const victim = VICTIMS[killed % VICTIMS.length] ?? 'builder'
      const round = await killIn({ root, victim, after: random() * time })
      // What was finished before is not done again.
      assert.deepEqual(
        round.done.filter((step) => done.includes(step)),
        [],
      )
      groups.push(...round.groups)
      if (round.wasKilled) {
        killed += 1
        done = [...done, ...round.done]
        continue
      }
      // Another store, so that there is something to do.
      assert.equal(digestIn(round), digestIn(control))
      stores += 1
      done = []
    }
    const start = { root: directory.file(`store-${stores}`) }
    assert.equal(digestIn(await mustBuild(args(), start)), digestIn(control))
    // The next one that runs steps, whatever limits it has.
    await mustBuild(['--no-cache', '--target', 'daemons', ...context()], start)
    assert.ok(groups.length > 0)
    assert.deepEqual(
      groups.filter((group) => existsSync(group)),
      [],
    )
  })

  interface Round {
    readonly root: string
    readonly victim: Victim
    /** Milliseconds. */
    readonly after: number
  }

  async function killIn({ root, victim, after }: Round) {
    const log = `${root}.log`
    const child = startTsbuild(args(), { root }, log, { detached: true })
    const pid = child.pid ?? 0
    await Promise.race([delay(after), once(child, 'exit')])
    const said = (): { readonly stderr: string; readonly done: readonly string[] } => {
      const stderr = readFileSync(log, 'utf8')
      return { stderr, done: stepsThat('DONE', { stderr }) }
    }
    if (child.exitCode !== null) {
      assert.equal(child.exitCode, 0, said().stderr)
      return { ...said(), wasKilled: false, groups: [] }
    }
    // A stopped builder starts nothing while its processes are counted.
    child.kill('SIGSTOP')
    const tree = processTree(pid)
    const namespaces = foreignPidNamespaces(tree)
    const groups = groupsOf(pid)
    const found = victimIn(victim, pid)
    killIfThere(found)
    child.kill('SIGCONT')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    const about = `${victim} after ${Math.round(after)} ms: ${said().stderr}`
    assert.deepEqual(await untilEmpty(() => survivors(tree, namespaces), PROMPTLY), [], about)
    assert.deepEqual(mountsOf(root), [], about)
    assert.deepEqual(storeFaults(root), [], about)
    if (child.signalCode === 'SIGKILL' && Math.abs(found) === pid) {
      return { ...said(), wasKilled: true, groups }
    }
    // It was done a moment before. Without a helper or a step a build fails, or goes on.
    assert.equal(child.signalCode, null, about)
    for (const group of groups) assert.ok(!existsSync(group), `${group} ${about}`)
    return { ...said(), wasKilled: child.exitCode !== 0, groups: [] }
  }
}

/** A process of a step may have ended meanwhile. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause
  }
}

/** @returns what to kill: a pid, or a group as a negative number; the builder where there is no such process */
function victimIn(victim: Victim, builder: number): number {
  if (victim === 'group') return -builder
  const others = processTree(builder).filter(({ pid }) => pid !== builder)
  const depth = { builder: 0, helper: 1, first: 2, step: 2 }[victim]
  const found = others.find(({ pid }) => {
    const ids = namespaceIds(pid)
    if (depth === 1) return ids.length === 1
    return ids.length === 2 && (ids[1] === 1) === (victim === 'first')
  })
  return depth === 0 || found === undefined ? builder : found.pid
}

/** The ids of a process from the outermost namespace that this one sees inwards. */
function namespaceIds(pid: number): readonly number[] {
  const text = existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, 'utf8') : ''
  return (/^NSpid:\t(.*)$/m.exec(text)?.[1] ?? '').split('\t').map(Number)
}

function digestIn({ stderr }: { readonly stderr: string }): string {
  const digest = /^digest +(sha256:[0-9a-f]{64})$/m.exec(stderr)?.[1]
  assert.ok(digest, stderr)
  return digest
}
