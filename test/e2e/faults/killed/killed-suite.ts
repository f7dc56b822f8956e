import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import {
  compareTrees,
  debianBase,
  pushLayout,
  type Registry,
  readImage,
  run,
  startBusyboxRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
  until,
  untilEmpty,
} from '../../../support/peers/index.ts'
import { seededRandom } from '../../../support/random/index.ts'
import { type Compiler, writeApplication } from '../../support/application.ts'
import { foreignPidNamespaces, mountsOf, processTree, survivors } from '../../support/processes.ts'
import { storeFaults } from '../../support/store-check.ts'
import { mustBuild, startTsbuild, stepsThat } from '../../support/tsbuild.ts'

const SEED = 20_240_229

/** How often a build is killed. */
interface Rounds {
  readonly all: number
  /** The first ones, which go on where the one before was killed; at least one. */
  readonly long: number
  /** What the first ones install. */
  readonly compiler: Compiler
}

/** Kills a build at moments that are spread over its time, and builds again. */
export function killedSuite(rounds: Rounds): void {
  let directory: TemporaryDirectory
  let registry: Registry
  let context: string

  before(async () => {
    directory = temporaryDirectory('kill')
    context = directory.file('context')
    writeApplication(context, rounds.compiler)
    registry = await startBusyboxRegistry()
    await pushLayout(await debianBase(), `${registry.host}/debian:latest`)
  })

  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  it('leaves no mount, no process and no half-written name, each time', async () => {
    const random = seededRandom(SEED)
    const image = `${registry.host}/killed:latest`
    const long = await timeOf('undisturbed')
    changeSource(context, -1)
    const short = await timeOf('undisturbed')
    let done: string[] = []
    let hits = 0
    let cached = 0
    let isBuilt = false
    for (let round = 0; hits < rounds.all && round < 6 * rounds.all; round += 1) {
      // The first rounds are long, and each goes on where the one before was killed. The others
      // find the compiler in the cache; so they change what is compiled.
      const isShort = isBuilt || hits >= rounds.long
      if (isShort) changeSource(context, round)
      const killed = await killAfter(random() * (isShort ? short : long), image)
      done = isShort ? stepsThat('DONE', killed) : [...done, ...stepsThat('DONE', killed)]
      // A build that ended before its time does not count.
      isBuilt ||= !killed.wasRunning
      if (!killed.wasRunning) continue
      hits += 1
      if (!isShort && hits < rounds.long) continue
      cached += await goesOn(image, done)
      isBuilt = true
    }
    assert.equal(hits, rounds.all)
    assert.notEqual(cached, 0)
    await equalToUndisturbed(image)
  })

  it('leaves a step no way to live on', async () => {
    writeFileSync(
      directory.file('Dockerfile'),
      `FROM ${registry.host}/busybox:latest\nRUN (sleep 1000 &) ; trap '' TERM HUP; sleep 1000\n`,
    )
    const root = directory.file('store')
    const child = startTsbuild(['-f', directory.file('Dockerfile'), directory.path], { root })
    const pid = child.pid ?? 0
    using _ = { [Symbol.dispose]: () => child.kill('SIGKILL') }
    const sleeping = () => processTree(pid).filter((found) => commandOf(found.pid) === 'sleep 1000')
    await until(() => sleeping().length === 2)
    const tree = processTree(pid)
    const namespaces = foreignPidNamespaces(tree)
    assert.equal(namespaces.size, 1)
    child.kill('SIGKILL')
    await once(child, 'exit')
    assert.deepEqual(await untilEmpty(() => survivors(tree, namespaces), 3000), [])
    assert.deepEqual(mountsOf(root), [])
  })

  const args = (image: string): string[] => [
    ...['--network', 'host', '--build-arg', `BASE=${registry.host}/debian:latest`],
    ...['-t', image, '--push', context],
  ]
  const start = (name: string) => ({ root: directory.file(name), timeoutMs: 120_000 })

  /** Milliseconds of a build that is not killed. */
  async function timeOf(name: string): Promise<number> {
    const began = performance.now()
    await mustBuild(args(`${registry.host}/${name}:latest`), start(name))
    return performance.now() - began
  }

  /**
   * The next build succeeds, and does nothing again that the killed ones had finished, which is nothing when they were
   * killed early.
   * @returns how many steps it found
   */
  async function goesOn(image: string, done: readonly string[]): Promise<number> {
    const outcome = await mustBuild(args(image), start('store'))
    const repeated = stepsThat('DONE', outcome).filter((step) => done.includes(step))
    assert.deepEqual(repeated, [])
    assert.deepEqual(storeFaults(directory.file('store')), [])
    return stepsThat('CACHED', outcome).length
  }

  /** Kills a builder at that moment and checks what is left of it. */
  async function killAfter(
    milliseconds: number,
    image: string,
  ): Promise<{ readonly stderr: string; readonly wasRunning: boolean }> {
    const { root } = start('store')
    const log = directory.file('log')
    const child = startTsbuild(args(image), { root }, log)
    await Promise.race([delay(milliseconds), once(child, 'exit')])
    const wasRunning = child.exitCode === null
    assert.ok(wasRunning || child.exitCode === 0)
    // A stopped builder cannot start another process while its processes are counted.
    child.kill('SIGSTOP')
    const tree = wasRunning ? processTree(child.pid ?? 0) : []
    const namespaces = foreignPidNamespaces(tree)
    child.kill('SIGKILL')
    if (wasRunning) await once(child, 'exit')
    assert.deepEqual(await untilEmpty(() => survivors(tree, namespaces), 3000), [])
    assert.deepEqual(mountsOf(root), [])
    assert.deepEqual(storeFaults(root), [])
    await noHalfPush()
    return { stderr: readFileSync(log, 'utf8'), wasRunning }
  }

  /** The tag is the last request of a push, so an image that has its tag is whole. */
  async function noHalfPush(): Promise<void> {
    const list = await run('skopeo', ['list-tags', '--tls-verify=false', repository()]).catch(
      () => undefined,
    )
    if (list === undefined) return
    using copy = temporaryDirectory('pushed')
    await run('skopeo', [
      '--insecure-policy',
      'copy',
      '--quiet',
      '--src-tls-verify=false',
      `${repository()}:latest`,
      `dir:${copy.path}`,
    ])
  }

  const repository = (): string => `docker://${registry.host}/killed`

  async function equalToUndisturbed(image: string): Promise<void> {
    const calm = `${registry.host}/undisturbed:latest`
    await mustBuild(args(calm), start('undisturbed'))
    const killed = await readImage(`docker://${image}`, directory.path, 'killed-image')
    const whole = await readImage(`docker://${calm}`, directory.path, 'undisturbed-image')
    assert.deepEqual(compareTrees(killed.tree, whole.tree), [])
  }
}

function changeSource(context: string, round: number): void {
  const file = `${context}/server.c`
  writeFileSync(file, `${readFileSync(file, 'utf8')}/* ${round} */\n`)
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}
