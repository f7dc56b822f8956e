import assert from 'node:assert/strict'
import { openSnapshots, type Snapshots } from '#builder/snapshot'
import { type SnapshotterKind, TsbuildError } from '#core'

describe('the choice of snapshots', () => {
  it('is the first kind whose mounts are made, and says why', async () => {
    const tried: string[] = []
    const { snapshots, choices } = open({ choice: 'auto' })
    const used = await snapshots.use(async ({ kind }) => {
      tried.push(kind)
      return kind === 'copies' ? kind : refuse(kind)
    })
    assert.equal(used, 'copies')
    assert.deepEqual(tried, ['overlay', 'overlay-tmpfs', 'copies'])
    const reason = 'overlay: no overlay; overlay-tmpfs: no overlay-tmpfs'
    assert.deepEqual(choices, [['copies', reason]])
  })

  it('is reported and remembered once, and not where the first kind works', async () => {
    const plain = open({ choice: 'auto' })
    for (let i = 0; i < 3; i++) await plain.snapshots.use(async () => undefined)
    assert.deepEqual(plain.choices, [['overlay', undefined]])
    assert.deepEqual(plain.remembered, [])
    const other = open({ choice: 'auto' })
    for (let i = 0; i < 3; i++) await other.snapshots.use(refuseOverlay)
    assert.equal(other.choices.length, 1)
    assert.deepEqual(other.remembered, ['overlay-tmpfs'])
  })

  it('begins with what an earlier build has found, and goes on from the first where that fails', async () => {
    const known = open({ choice: 'auto', known: 'overlay-tmpfs' })
    assert.equal(await known.snapshots.use(async ({ kind }) => kind), 'overlay-tmpfs')
    assert.match(known.choices[0]?.[1] ?? '', /earlier build/)
    assert.deepEqual(known.remembered, [])
    const gone = open({ choice: 'auto', known: 'overlay-tmpfs' })
    const tried: string[] = []
    await gone.snapshots.use(async ({ kind }) => {
      tried.push(kind)
      if (kind === 'overlay-tmpfs') refuse(kind)
    })
    assert.deepEqual(tried, ['overlay-tmpfs', 'overlay'])
    assert.deepEqual(gone.remembered, ['overlay'])
  })

  it('is made once for steps that run at the same time', async () => {
    const { snapshots, choices } = open({ choice: 'auto' })
    const together = Promise.withResolvers<void>()
    let waiting = 0
    const step = () =>
      snapshots.use(async ({ kind }) => {
        if (kind !== 'overlay') return kind
        if (++waiting === 3) together.resolve()
        await together.promise
        return refuse(kind)
      })
    assert.deepEqual(await Promise.all([step(), step(), step()]), Array(3).fill('overlay-tmpfs'))
    assert.equal(choices.length, 1)
  })

  it('stays when it was asked for', async () => {
    for (const kind of ['overlay', 'copies'] as const) {
      const { snapshots } = open({ choice: kind, known: 'overlay-tmpfs' })
      await assert.rejects(
        snapshots.use(async (one) => refuse(one.kind)),
        { code: 'SNAPSHOT_UNAVAILABLE', message: `no ${kind}` },
      )
    }
  })

  it('ends with the last kind', async () => {
    const { snapshots } = open({ choice: 'auto' })
    await assert.rejects(
      snapshots.use(async ({ kind }) => refuse(kind)),
      { code: 'SNAPSHOT_UNAVAILABLE', message: 'no copies' },
    )
  })

  it('does not change for a step that fails, and for one that is too big only for this step', async () => {
    const { snapshots, notices, remembered } = open({ choice: 'auto' })
    await assert.rejects(
      snapshots.use(async () => fail('STEP_FAILED')),
      { code: 'STEP_FAILED' },
    )
    const tried: string[] = []
    for (const isBig of [true, false]) {
      await snapshots.use(async ({ kind }) => {
        if (kind === 'overlay') refuse(kind)
        tried.push(kind)
        if (isBig && kind !== 'copies') fail('SNAPSHOT_FULL')
      })
    }
    assert.deepEqual(tried, ['overlay-tmpfs', 'copies', 'overlay-tmpfs'])
    assert.equal(notices.length, 1)
    assert.match(notices[0] ?? '', /run again on copies/)
    assert.deepEqual(remembered, ['overlay-tmpfs'])
  })

  it('is not left by a step that is too big where it was asked for', async () => {
    const { snapshots } = open({ choice: 'overlay-tmpfs' })
    await assert.rejects(
      snapshots.use(async () => fail('SNAPSHOT_FULL')),
      { code: 'SNAPSHOT_FULL' },
    )
  })
})

interface Opened {
  readonly snapshots: Snapshots
  readonly choices: (readonly [SnapshotterKind, string | undefined])[]
  readonly remembered: SnapshotterKind[]
  readonly notices: string[]
}

function open(options: {
  readonly choice: SnapshotterKind | 'auto'
  readonly known?: SnapshotterKind
}): Opened {
  const choices: Opened['choices'] = []
  const remembered: SnapshotterKind[] = []
  const notices: string[] = []
  const snapshots = openSnapshots({
    choice: options.choice,
    size: undefined,
    memory: { recall: () => options.known, remember: (kind) => void remembered.push(kind) },
    scratch: () => assert.fail('nothing is prepared'),
    work: {
      copyUpper: () => assert.fail('nothing is copied'),
      adoptFuseUpper: () => assert.fail('nothing is adopted'),
    },
    onChoice: (kind, reason) => void choices.push([kind, reason]),
    onNotice: (message) => void notices.push(message),
  })
  return { snapshots, choices, remembered, notices }
}

function refuse(kind: string): never {
  throw new TsbuildError(`no ${kind}`, { code: 'SNAPSHOT_UNAVAILABLE' })
}

function fail(code: 'STEP_FAILED' | 'SNAPSHOT_FULL'): never {
  throw new TsbuildError('exit code: 1', { code, hint: 'give it more' })
}

async function refuseOverlay({ kind }: { readonly kind: string }): Promise<void> {
  if (kind === 'overlay') refuse(kind)
}
