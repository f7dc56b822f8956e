/** What a build says of isolation that it cannot give, and what it does where it must. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import {
  createUser,
  type Outcome,
  type TemporaryDirectory,
  temporaryDirectory,
  type User,
} from '../../support/peers/index.ts'
import { type Installed, installedFor } from '../support/installed.ts'
import { tsbuild } from '../support/tsbuild.ts'

/** Takes away what programs make tunnels with, in a mount namespace that ends with the command. */
const WITHOUT_TUNNELS = [
  ...['unshare', '--mount', 'sh', '-ec'],
  '[ ! -d /dev/net ] || mount -t tmpfs none /dev/net; exec "$@"',
  'sh',
]

describe('a user whose steps cannot have networks of their own', function () {
  this.timeout(60_000)
  const stack = new AsyncDisposableStack()
  let user: User
  let installed: Installed
  let place: TemporaryDirectory
  let stores = 0

  before(async () => {
    user = stack.use(await createUser())
    installed = stack.use(await installedFor(user))
    place = stack.use(temporaryDirectory('strict', 0o777))
    mkdirSync(place.file('context'))
    copyFileSync('/bin/busybox', place.file('context/busybox'))
  })
  after(() => stack.disposeAsync())

  async function build(step: string, args: readonly string[], settings?: string): Promise<Outcome> {
    const lines = ['FROM scratch', 'COPY --chmod=755 busybox /bin/busybox', `RUN ${step}`]
    writeFileSync(place.file('context/Dockerfile'), lines.join('\n'))
    const root = place.file(`store-${stores++}`)
    const folder = `${root}.home/.config/tsbuild`
    mkdirSync(folder, { recursive: true })
    if (settings !== undefined) writeFileSync(`${folder}/config.toml`, settings)
    const prefix = [...WITHOUT_TUNNELS, ...user.prefix]
    return await tsbuild(['build', ...args, place.file('context')], {
      ...{ root, cwd: '/', prefix, installed },
    })
  }

  const TRUE = '["/bin/busybox", "true"]'

  it('gets one warning, and none without such a step', async () => {
    const built = await build(`${TRUE}\nRUN ${TRUE}`, ['--no-cache'])
    assert.equal(built.status, 0, built.stderr)
    assert.equal(built.stderr.match(/steps share the network of this machine/g)?.length, 1)
    const none = await build(`--network=none ${TRUE}`, ['--isolation=strict'])
    assert.equal(none.status, 0, none.stderr)
    assert.doesNotMatch(none.stderr, /share the network/)
  })

  it('gets an error with strict, by flag or file, at the line of the step', async () => {
    for (const [args, settings] of [
      [['--isolation=strict']],
      [[], 'isolation = "strict"\n'],
    ] as const) {
      const { status, stderr } = await build(TRUE, args, settings)
      assert.equal(status, 1)
      assert.match(stderr, /Dockerfile:3/)
      assert.match(
        stderr,
        /ERROR: --isolation=strict allows no step here: .*\(SANDBOX_UNAVAILABLE\)/,
      )
    }
    const overruled = await build(TRUE, ['--isolation=auto'], 'isolation = "strict"\n')
    assert.equal(overruled.status, 0, overruled.stderr)
    const mistyped = await build(TRUE, [], 'isolation = "strickt"\n')
    assert.match(mistyped.stderr, /invalid isolation in \S+config\.toml[\s\S]*"strict"/)
  })

  it('has the network of the host only with its right, also with strict', async () => {
    const step = `--network=host ${TRUE}`
    const refused = await build(step, ['--isolation=strict'])
    assert.notEqual(refused.status, 0)
    assert.match(refused.stderr, /network\.host/)
    const allowed = await build(step, ['--isolation=strict', '--allow=network.host'])
    assert.equal(allowed.status, 0, allowed.stderr)
  })
})
