import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chownSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  createUser,
  run,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../support/peers/index.ts'
import { writeContext } from './support/context.ts'
import { installedFor } from './support/installed.ts'
import { mustBuild, type Start, startTsbuild, tsbuild } from './support/tsbuild.ts'

const BASE = [
  'FROM scratch AS base',
  'COPY --chmod=755 busybox /bin/busybox',
  'SHELL ["/bin/busybox", "sh", "-c"]',
  'RUN ["/bin/busybox", "--install", "-s", "/bin"]',
  'FROM base',
  'ARG N',
]
const BUILDS = 8
const LINES = 25
const SHARINGS = ['shared', 'private', 'locked'] as const

/** Each line says who wrote it; a pause in the middle lets others come between. */
function writer(sharing: string): string {
  const write = `for i in $(seq ${LINES}); do echo "$N $i" >> /c/log; [ $i != 9 ] || sleep 0.1; done`
  return `RUN --mount=type=cache,id=${sharing},sharing=${sharing},target=/c ${write}`
}

describe('cache mounts of builds that run at once', function () {
  this.timeout(180_000)
  let directory: TemporaryDirectory
  before(() => {
    directory = temporaryDirectory('run-mounts')
  })
  after(() => directory?.[Symbol.dispose]())

  function context(path: string, steps: readonly string[]): string {
    return writeContext(path, {
      busybox: readFileSync('/bin/busybox'),
      Dockerfile: [...BASE, ...steps].join('\n'),
    })
  }

  /** What the instances of the mount with this id hold. */
  function logsOf(root: string, id: string): readonly (readonly string[])[] {
    const mounts = join(root, 'mounts')
    const names = readdirSync(mounts).filter((name) => !name.endsWith('.lock'))
    const own = names.filter((name) =>
      readFileSync(join(mounts, name, 'about.json'), 'utf8').includes(`"id":"/${id}"`),
    )
    return own.map((name) =>
      readFileSync(join(mounts, name, 'data/log'), 'utf8')
        .trimEnd()
        .split('\n'),
    )
  }

  async function waitFor(condition: () => boolean): Promise<void> {
    for (const end = performance.now() + 20_000; performance.now() < end; await delay(20)) {
      try {
        if (condition()) return
      } catch {
        // Not there yet.
      }
    }
    throw new Error('it did not happen')
  }

  /** Whether the lines of one writer stand together. */
  function isApart(log: readonly string[]): boolean {
    const turns = log
      .map((line) => line.split(' ')[0])
      .filter((who, at, all) => who !== all[at - 1])
    return turns.length === new Set(turns).size
  }

  async function buildAll(args: readonly string[], start: Start): Promise<void> {
    // What the builds have in common, so that they meet at the mounts.
    await mustBuild(['--target', 'base', ...args], start)
    const numbers = Array.from({ length: BUILDS }, (_, number) => `N=${number}`)
    await Promise.all(numbers.map((number) => mustBuild(['--build-arg', number, ...args], start)))
  }

  function check(root: string): void {
    const expected = Array.from({ length: BUILDS * LINES }, (_, at) => {
      return `${Math.floor(at / LINES)} ${(at % LINES) + 1}`
    }).sort()
    for (const sharing of SHARINGS) {
      const logs = logsOf(root, sharing)
      assert.deepEqual(logs.flat().sort(), expected, `lost or torn: ${sharing}`)
      if (sharing !== 'shared') assert.ok(logs.every(isApart), `not apart: ${sharing}`)
      if (sharing !== 'private') assert.equal(logs.length, 1)
    }
  }

  it('lose nothing, and are apart when they are to be', async () => {
    const root = directory.file('store')
    await buildAll([context(directory.file('context'), SHARINGS.map(writer))], { root })
    check(root)
  })

  it('are free again at once when who held them is killed', async () => {
    const step = (then: string): string =>
      `RUN --mount=type=cache,id=held,sharing=locked,target=/c echo held >> /c/log; ${then}`
    const folder = context(directory.file('held'), [step('sleep 100')])
    const root = directory.file('killed')
    const child = startTsbuild([folder], { root })
    const ended = once(child, 'exit')
    await waitFor(() => existsSync(join(root, 'mounts')) && logsOf(root, 'held').length === 1)
    child.kill('SIGKILL')
    await ended
    await mustBuild([context(folder, [step('true')])], { root })
    assert.equal(logsOf(root, 'held')[0]?.length, 2)
  })

  it('lose nothing for an ordinary user either, who has the other mounts, too', async () => {
    await using user = await createUser()
    using installed = await installedFor(user)
    const folder = context(join(user.home, 'context'), [
      ...SHARINGS.map(writer),
      'RUN --mount=target=/m,source=busybox cmp /m /bin/busybox',
      'RUN --mount=from=base,target=/m,rw rm /m/bin/ls && test -e /bin/ls',
      'RUN --mount=type=tmpfs,target=/t,size=64k ! head -c 99999 /dev/zero > /t/x',
      'RUN --mount=type=cache,target=/c,uid=33,gid=44,mode=750 stat -c %u:%g:%a /c | grep 33:44:750',
      'RUN --mount=type=secret,id=s,uid=33,mode=440,required stat -c %u:%a /run/secrets/s | grep 33:440',
      'RUN --mount=type=secret,id=s,env=T,required test "$T" = hidden',
      'RUN [ $(ulimit -n) = 77 ] && [ $(ulimit -Hn) = 88 ]',
      'RUN --mount=type=ssh,required,uid=33 stat -c %F:%u $SSH_AUTH_SOCK | grep socket:33',
    ])
    const key = join(user.home, 'key')
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
    chownSync(key, statSync(user.home).uid, statSync(user.home).gid)
    const flags = [
      '--secret',
      'id=s,env=HIDDEN',
      '--ssh',
      `default=${key}`,
      '--ulimit',
      'nofile=77:88',
    ]
    const env = { HOME: user.home, HIDDEN: 'hidden' }
    const root = `${user.home}/store`
    const start = { root, cwd: user.home, prefix: user.prefix, env, installed }
    await buildAll([...flags, folder], start)
    const limited = await tsbuild([...flags, '-m', '64m', '--no-cache', folder], start)
    assert.equal(limited.status, 1)
    assert.match(limited.stderr, /limit a step: control groups cannot be made here/)
    check(root)
  })
})
