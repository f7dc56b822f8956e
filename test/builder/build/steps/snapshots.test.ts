import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readdirSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import type { BuildEvent, BuildOptions } from '#builder'
import type { BuildChoice } from '#core'
import { processesOf } from '../../../suites/sandbox/host-processes.ts'
import { run } from '../../../support/peers/index.ts'
import type { OverlayBuild } from '../support/overlay-builds.ts'
import { putShell, SHELL_BASE } from '../support/shell-base.ts'
import { Workplace } from '../support/workplace.ts'

const DOCKERFILE = [
  ...SHELL_BASE,
  'RUN mkdir /d && echo a > /d/a && echo b > /d/b && chown 5:6 /d/b',
  'FROM base AS other',
  'RUN mkdir /m && echo m > /m/m',
  'FROM base',
  'RUN rm /d/a && mv /d/b /d/c && touch -d @1000000 /d/c && ls /d /dev',
  'RUN rm -r /d && mkdir /d && echo new > /d/new && mkdir /dev/own',
  'RUN --mount=from=other,source=/m,target=/m cat /m/m > /copied && ! echo x > /m/x',
  'RUN --mount=from=other,source=/m,target=/m,rw echo x > /m/x && ls /m > /written',
].join('\n')
/** Bytes that fit into the store, and not into 16 MiB. */
const BIG = 'RUN dd if=/dev/zero of=/big bs=1048576 count=24'

describe('snapshots of steps', function () {
  this.timeout(120_000)
  let at: Workplace

  beforeEach(async () => {
    at = await Workplace.open()
    putShell(at)
  })
  afterEach(() => at[Symbol.asyncDispose]())

  const buildWith = async (options: Partial<BuildOptions>, more = '') => {
    const root = at.path(`store-${options.snapshotter}`)
    return await at.build(`${DOCKERFILE}\n${more}`, { ...options, root, reproducible: true })
  }

  it('give the same image whichever kind they are of', async () => {
    const digests = new Set<string | undefined>()
    for (const snapshotter of ['overlay', 'overlay-tmpfs', 'fuse-overlayfs', 'copies'] as const) {
      const { digest, events } = await buildWith({ snapshotter })
      assert.deepEqual(choicesOf(events), [snapshotter])
      const isolation = { subject: 'isolation', value: 'namespaces' }
      assert.partialDeepStrictEqual(
        events.filter((event) => event.type === 'choice' && event.subject === 'isolation'),
        [isolation],
      )
      digests.add(digest)
      assert.deepEqual(readdirSync(`${at.path(`store-${snapshotter}`)}/tmp`), [])
    }
    assert.equal(digests.size, 1)
    assert.match([...digests][0] ?? '', /^sha256:/)
  })

  it('are free of the mounts of a step, even where its namespace is held longer', async () => {
    const digests = new Set<string | undefined>()
    const step = `RUN echo made > /made && sleep 0.2 && : ${at.folder}`
    for (const snapshotter of ['overlay', 'overlay-tmpfs', 'fuse-overlayfs', 'copies'] as const) {
      const building = buildWith({ snapshotter }, step)
      const held = await holdMounts(at.folder, building)
      await setTimeout(800)
      closeSync(held)
      digests.add((await building).digest)
    }
    assert.equal(digests.size, 1)
  })

  it('fail with the size where memory is used up', async () => {
    const options = { snapshotter: 'overlay-tmpfs', snapshotSize: 16 * 1024 ** 2 } as const
    await assert.rejects(buildWith(options, BIG), {
      code: 'SNAPSHOT_FULL',
      message: /16 MiB/,
      hint: /size=SIZE/,
    })
  })

  it('have a size in memory only', async () => {
    await assert.rejects(buildWith({ snapshotter: 'copies', snapshotSize: 2 ** 24 }), {
      code: 'USAGE',
    })
    await assert.rejects(buildWith({ snapshotSize: 1 }), { code: 'USAGE' })
    await assert.rejects(buildWith({ snapshotter: 'zfs' as 'copies' }), { code: 'USAGE' })
  })

  it('are in memory where the store is on an overlay, and copied where that is too small', async function () {
    if (process.getuid?.() !== 0) this.skip()
    const common = { context: at.path('context'), reproducible: true }
    const small = { ...common, dockerfile: DOCKERFILE }
    const big = { ...common, dockerfile: `${DOCKERFILE}\n${BIG}` }
    const wanted = [await at.build(DOCKERFILE, common), await at.build(big.dockerfile, common)]
    const [first, again, full] = await buildOnOverlay(at, [
      small,
      { ...small, noCache: true },
      { ...big, snapshotSize: 16 * 1024 ** 2 },
    ])
    assert.equal(first?.digest, wanted[0]?.digest)
    assert.deepEqual(choicesOf(first?.events), ['overlay-tmpfs'])
    assert.match(reasonOf(first?.events), /^overlay: mount an overlay: EINVAL/)
    assert.equal(again?.digest, wanted[0]?.digest)
    assert.match(reasonOf(again?.events), /^an earlier build found/)
    assert.equal(full?.digest, wanted[1]?.digest)
    assert.match(messagesOf(full?.events), /16 MiB used up.*it is run again on copies/)
  })
})

/** Opens the mount namespace of the step whose command has `marker`. */
async function holdMounts(marker: string, building: Promise<unknown>): Promise<number> {
  let isBuilding = true
  void building.catch(() => undefined).finally(() => (isBuilding = false))
  while (isBuilding) {
    for (const pid of processesOf(`: ${marker}`)) return openSync(`/proc/${pid}/ns/mnt`, 'r')
    await setTimeout(5)
  }
  throw new Error('the step was not seen')
}

async function buildOnOverlay(
  at: Workplace,
  options: readonly BuildOptions[],
): Promise<readonly OverlayBuild[]> {
  const script = new URL('../support/overlay-builds.js', import.meta.url).pathname
  const home = mkdtempSync(at.path('overlay-'))
  const child = ['-m', process.execPath, script, home, JSON.stringify(options)]
  const { stdout } = await run('unshare', child, { timeoutMs: 100_000 })
  return JSON.parse(stdout)
}

function choicesOf(events: readonly BuildEvent[] = []): readonly string[] {
  return choices(events).map(({ value }) => value)
}

function reasonOf(events: readonly BuildEvent[] = []): string {
  return choices(events)
    .map(({ reason = '' }) => reason)
    .join()
}

function choices(events: readonly BuildEvent[]): readonly BuildChoice[] {
  return events.flatMap((event) => {
    return event.type === 'choice' && event.subject === 'snapshotter' ? [event] : []
  })
}

function messagesOf(events: readonly BuildEvent[] = []): string {
  return events.flatMap((event) => (event.type === 'warning' ? event.message : [])).join()
}
