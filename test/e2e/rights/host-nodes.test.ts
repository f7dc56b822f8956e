import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import {
  createUser,
  diskDirectory,
  ensurePackages,
  type TemporaryDirectory,
  type User,
} from '../../support/peers/index.ts'
import { type Facts, hostOf, makeProbeContext, readFacts } from '../../support/probe/index.ts'
import { type Installed, installedFor } from '../support/installed.ts'
import { mustBuild } from '../support/tsbuild.ts'

/** A uid that no passwd file and no range of subordinate ids knows. */
const STRANGER = 54_324

/**
 * Runs its arguments where /dev has nodes of its own, and lists what the host's are like before and
 * after: a step that gets through harms these only.
 */
const ON_OWN_DEV = `
dev=$(mktemp -d)
mount -t tmpfs -o mode=755 dev "$dev"
cp -ax /dev/. "$dev"
mkdir -p "$dev/pts" "$dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$dev/pts"
mount -t tmpfs -o mode=1777 shm "$dev/shm"
mount --move "$dev" /dev
rmdir "$dev"
list() {
  find /dev -xdev -printf '%p %y%m %U:%G changed %C@\\n' | sort
  find /proc /sys -maxdepth 1 ! -name '[0-9]*' -printf '%p %y%m %U:%G\\n' | sort
}
cp /proc/self/mountinfo "$LISTS/mounts"
list > "$LISTS/before"
"$@"
list > "$LISTS/after"
`

/** Changes all device nodes for other processes, and only these: the files of /proc are the kernel's. */
const CHANGE_NODES = `FROM scratch
COPY busybox /bin/busybox
SHELL ["/bin/busybox", "sh", "-c"]
RUN for node in $(/bin/busybox find / -type c -o -type b); do \\
      /bin/busybox chmod 0600 $node; /bin/busybox chown 1:1 $node; /bin/busybox touch $node; done; \\
    /bin/busybox rm -f /dev/null /dev/zero /dev/full; true
`

/** All devices that docker lets a step open, by nodes that it made itself too. */
const OPEN_DEVICES = /^c (1 3|1 5|1 7|1 8|1 9|5 0|5 2|136 \d+)$/

/** A prefix of a command, which changes the user that it runs as. */
type Builder = (user: User) => readonly string[]

const BUILDERS: readonly (readonly [string, Builder])[] = [
  ['root', () => []],
  ['a user with a range of ids', (user) => user.prefix],
  [
    'a user with one id',
    () => ['setpriv', `--reuid=${STRANGER}`, `--regid=${STRANGER}`, '--clear-groups', '--'],
  ],
]

describe('the nodes of the host', function () {
  this.timeout(120_000)
  const stack = new AsyncDisposableStack()
  let probe: TemporaryDirectory
  let change: TemporaryDirectory
  let user: User
  let installed: Installed

  before(async function () {
    if (process.getuid?.() !== 0) this.skip()
    await ensurePackages()
    probe = stack.use(diskDirectory('probe', 0o755))
    await makeProbeContext(probe)
    change = stack.use(diskDirectory('nodes', 0o755))
    copyFileSync('/bin/busybox', change.file('busybox'))
    chmodSync(change.file('busybox'), 0o755)
    writeFileSync(change.file('Dockerfile'), CHANGE_NODES)
    user = stack.use(await createUser())
    installed = stack.use(await installedFor(user))
  })
  after(() => stack.disposeAsync())

  /** Builds on a /dev of its own, in which the temporary files of others are not; it is the same afterwards. */
  async function build(context: string, builder: Builder, place: TemporaryDirectory) {
    const prefix = ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', ON_OWN_DEV, 'sh']
    const out = `type=local,dest=${place.file('out')}`
    await mustBuild(['build', '--network=none', '--no-cache', '--output', out, context], {
      root: place.file('store'),
      cwd: '/',
      env: { LISTS: place.path },
      prefix: [...prefix, ...builder(user)],
      installed,
    })
    const [before, after] = ['before', 'after'].map((name) =>
      readFileSync(place.file(name), 'utf8'),
    )
    assert.ok(before?.includes('/dev/null c666 0:0 '))
    assert.equal(after, before)
  }

  for (const [name, builder] of BUILDERS) {
    it(`stay as they are when a step changes all that it sees: ${name}`, async () => {
      using place = diskDirectory('place', 0o777)
      await build(change.path, builder, place)
    })

    it(`are not opened by a step, and nothing of the host is changed: ${name}`, async () => {
      using place = diskDirectory('place', 0o777)
      await build(probe.path, builder, place)
      const host = hostOf(readFileSync(place.file('mounts'), 'utf8'))
      const facts = readFacts(readFileSync(place.file('out/facts'), 'utf8'), host)
      assert.deepEqual(openedDevices(facts), [])
      assert.deepEqual(changedOfHost(facts), [])
    })
  }
})

/** The nodes that a step made in any place, and that led to a driver. */
function openedDevices(facts: Facts): readonly string[] {
  const tried = [...facts].filter(([fact]) => fact.startsWith('device in '))
  assert.ok(tried.length > 40, 'the probe made nodes')
  return tried.flatMap(([fact, answer]) => {
    const [, device = ''] = /^device in \S+ (.*)$/.exec(fact) ?? []
    const isRefused = /^E(PERM|ACCES)$/.test(answer)
    return isRefused || OPEN_DEVICES.test(device) ? [] : [`${fact}: ${answer}`]
  })
}

/** What a step could change although it lies in a file system that the host has mounted, too. */
function changedOfHost(facts: Facts): readonly string[] {
  const mounts = [...facts].flatMap(([fact, whose]) => {
    const place = /^mount (\S+) device$/.exec(fact)?.[1]
    return place === undefined ? [] : [{ place: place === '/' ? '' : place, whose }]
  })
  assert.ok(mounts.length > 5, 'the probe saw mounts')
  return [...facts.keys()].filter((fact) => {
    const path = /^(?:changes \w+|touches) (.*)$/.exec(fact)?.[1]
    const above = mounts.filter(({ place }) => path === place || path?.startsWith(`${place}/`))
    const nearest = above.sort((a, b) => b.place.length - a.place.length)[0]
    return path !== undefined && nearest?.whose !== 'own'
  })
}
