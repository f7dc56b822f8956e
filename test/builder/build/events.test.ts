import assert from 'node:assert/strict'
import type { BuildEvent } from '#builder'
import { type Built, Workplace } from './support/workplace.ts'

const DOCKERFILE = [
  'FROM scratch AS files',
  'COPY f /f',
  '',
  'FROM scratch',
  'COPY --from=files \\',
  '/f /g',
]

type Planned = Extract<BuildEvent, { readonly type: 'planned' }>

function ofType<T extends BuildEvent['type']>(
  { events }: Built,
  type: T,
): readonly Extract<BuildEvent, { readonly type: T }>[] {
  return events.filter((event): event is Extract<BuildEvent, { type: T }> => event.type === type)
}

const plannedIn = (built: Built): readonly Planned[] => ofType(built, 'planned')

/** How and why each step was executed or found, in the order of the Dockerfile. */
function decisions(built: Built): readonly (string | undefined)[] {
  const steps = plannedIn(built).flatMap(({ vertices }) => vertices)
  return steps.map(({ id }) => {
    const reason = ofType(built, 'started').find(({ vertex }) => vertex === id)?.reason
    return reason ?? ofType(built, 'cached').find(({ vertex }) => vertex === id)?.by
  })
}

describe('events of a build', () => {
  let at: Workplace

  beforeEach(async () => {
    at = await Workplace.open()
    at.put({ f: 'text' })
  })
  afterEach(() => at[Symbol.asyncDispose]())

  it('begin with what is planned', async () => {
    const built = await at.build(DOCKERFILE, { platform: 'linux/arm64/v8' })
    const [planned, ...more] = plannedIn(built)
    assert.deepEqual(more, [])
    const [first, second] = planned?.vertices ?? []
    const platform = 'linux/arm64'
    assert.deepEqual(planned?.vertices, [
      {
        id: first?.id,
        name: '[files 1/1] COPY f /f',
        op: 'files',
        inputs: [],
        stage: 'files',
        lines: { start: 2, end: 2 },
        platform,
      },
      {
        id: second?.id,
        name: '[stage-1 1/1] COPY --from=files /f /g',
        op: 'files',
        inputs: [first?.id],
        stage: '1',
        lines: { start: 5, end: 6 },
        platform,
      },
    ])
    const started = ofType(built, 'started').map(({ vertex }) => vertex)
    assert.ok([first?.id, second?.id].every((id) => id !== undefined && started.includes(id)))
  })

  it('have IDs that are unique across platforms', async () => {
    const platform = ['linux/amd64', 'linux/arm64']
    const built = await at.build(DOCKERFILE, { platform })
    const planned = plannedIn(built).flatMap(({ vertices }) => vertices)
    assert.deepEqual(planned.map((vertex) => vertex.platform).toSorted(), [
      ...['linux/amd64', 'linux/amd64', 'linux/arm64', 'linux/arm64'],
    ])
    assert.equal(new Set(planned.map(({ id }) => id)).size, 4)
    const started = ofType(built, 'started').map(({ vertex }) => vertex)
    assert.ok(started.length > 4)
    assert.equal(new Set(started).size, started.length)
  })

  it('have times that do not go back and are those of the clock', async () => {
    const before = Date.now()
    const { events } = await at.build(DOCKERFILE)
    const times = events.map(({ time }) => time)
    assert.ok(times.length > 4)
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    )
    // The wall clock may be set while the process runs; not by a minute.
    assert.ok(Math.abs((times[0] ?? 0) - before) < 60_000)
  })

  it('say why a step is executed, or how its result was found', async () => {
    assert.deepEqual(decisions(await at.build(DOCKERFILE)), ['no-record', 'no-record'])
    const again = await at.build(DOCKERFILE)
    assert.deepEqual(decisions(again), ['unused', 'definition'])
    const [, { key } = {}] = ofType(again, 'cached')
    assert.match(key ?? '', /^[0-9a-f]{64}$/)
    at.put({ f: 'other', g: '' })
    const changed = await at.build(DOCKERFILE)
    assert.deepEqual(decisions(changed), ['input-changed', 'input-changed'])
    const same = await at.build(['FROM scratch AS files', 'COPY g f /', ...DOCKERFILE.slice(2)])
    assert.deepEqual(decisions(same), ['no-record', 'content'])
    const anew = await at.build(DOCKERFILE, { noCache: true })
    assert.deepEqual(decisions(anew), ['no-cache', 'no-cache'])
    assert.ok(ofType(anew, 'done').filter((event) => event.key !== undefined).length === 2)
  })

  it('say what an output of images has written, and what it is called there', async () => {
    const built = await at.build(DOCKERFILE, { tags: ['app:1', at.at('app:2')] })
    const { images } = built
    const exported = ofType(built, 'done').flatMap((done) => done.exported ?? [])
    const [config, ...others] = images.map(({ id }) => id)
    assert.deepEqual(others, [])
    assert.deepEqual(exported, [
      {
        root: built.digest,
        isIndex: false,
        configs: [config],
        names: ['docker.io/library/app:1', at.at('app:2')],
      },
    ])
  })
})
