import assert from 'node:assert/strict'
import { readdirSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BuildEvent, type BuildOptions, TsbuildError } from '#builder'
import { until } from '../../support/peers/index.ts'
import { foreignImage, foreignLayer, publish } from './support/images.ts'
import { Workplace } from './support/workplace.ts'

/** Milliseconds. An idle machine takes less than 250; tests share theirs with others. */
const PATIENCE = 1000

describe('cancelling', () => {
  let at: Workplace
  beforeEach(async () => {
    at = await Workplace.open()
    at.put({ a: 'A' })
  })
  afterEach(() => at[Symbol.asyncDispose]())

  interface Cancelled {
    readonly dockerfile: readonly string[]
    readonly options?: Partial<BuildOptions>
    /** When to abort. */
    readonly when: (events: readonly BuildEvent[]) => boolean
    readonly later?: number
  }

  /** Aborts a build at a moment, and sees that it ends as it should. */
  async function cancels({ dockerfile, options, when, later = 0 }: Cancelled): Promise<void> {
    const controller = new AbortController()
    const events: BuildEvent[] = []
    const building = at.build(dockerfile, {
      ...options,
      signal: controller.signal,
      onEvent: (event) => void events.push(event),
    })
    const settled = building.then(
      () => 'built',
      (error: unknown) => error,
    )
    for (let waited = 0; !when(events); waited++) {
      assert.ok(waited < 2000, `the moment did not come: ${JSON.stringify(events)}`)
      await sleep(5)
    }
    await sleep(later)
    const aborted = performance.now()
    controller.abort()
    const error = await settled
    const milliseconds = performance.now() - aborted
    const reported = events.length
    assert.ok(error instanceof TsbuildError, String(error))
    assert.equal(error.code, 'CANCELLED')
    assert.ok(milliseconds < PATIENCE, `${milliseconds} ms`)
    assert.deepEqual(
      events.filter(({ type }) => type === 'failed'),
      [],
    )
    assert.deepEqual(readdirSync(join(at.path('store'), 'tmp')), [])
    await sleep(50)
    assert.equal(events.length, reported, 'nothing is reported after the end')
  }

  const started =
    (name: string): Cancelled['when'] =>
    (events) =>
      events.some((event) => event.type === 'started' && event.name.includes(name))
  const requested =
    (pattern: RegExp): Cancelled['when'] =>
    () =>
      at.registry.log.some((line) => pattern.test(line))

  it('is heard before anything is done', async () => {
    const signal = AbortSignal.abort('a reason that is not an error')
    await assert.rejects(at.build('FROM scratch\nCMD x', { signal }), { code: 'CANCELLED' })
  })

  it('stops asking for an image', async () => {
    publish(at.registry, 'base', foreignImage([await foreignLayer({ x: '1' })]))
    at.registry.fail({ path: /\/manifests\//, times: 9, action: { kind: 'stall' } })
    const dockerfile = [`FROM ${at.at('base')}`, `COPY --from=${at.at('other')} / /`]
    await cancels({ dockerfile, when: requested(/manifests/) })
  })

  it('stops a download', async () => {
    const layers = [
      await foreignLayer({ x: '1'.repeat(50_000) }, 'none'),
      await foreignLayer({ y: '' }),
    ]
    publish(at.registry, 'base', foreignImage(layers))
    const path = new RegExp(layers[0]?.descriptor.digest ?? '')
    at.registry.fail({ path, times: 9, action: { kind: 'stall', afterBytes: 10_000 } })
    const dockerfile = [`FROM ${at.at('base')}`, 'COPY a /']
    await cancels({ dockerfile, when: requested(path), later: 50 })
  })

  it('stops unpacking', async () => {
    const files = Array.from({ length: 20_000 }, (_, index) => [`d/${index}`, 'x'] as const)
    publish(at.registry, 'base', foreignImage([await foreignLayer(Object.fromEntries(files))]))
    const dockerfile = [`FROM ${at.at('base')}`, 'COPY a /']
    const when: Cancelled['when'] = (events) =>
      events.some(({ type, ...event }) => {
        return type === 'done' && 'vertex' in event && event.vertex.startsWith('pull')
      })
    await cancels({ dockerfile, when, later: 400 })
    assert.deepEqual(readdirSync(join(at.path('store'), 'layers')), [])
  })

  it('stops reading the context', async () => {
    const dockerfile = ['FROM scratch', 'COPY a /']
    await at.build(dockerfile)
    truncateSync(join(at.path('context'), 'a'), 2 ** 33)
    await cancels({ dockerfile, when: () => true, later: 500 })
  })

  it('stops a copy', async () => {
    const files = Array.from({ length: 3000 }, (_, index) => [`d/${index}`, 'x'] as const)
    at.put(Object.fromEntries(files))
    truncateSync(join(at.path('context'), 'a'), 2 ** 30)
    const dockerfile = ['FROM scratch', 'COPY . /']
    await cancels({ dockerfile, when: started('COPY'), later: 300 })
  })

  it('stops an upload', async () => {
    at.registry.fail({ method: 'PATCH', times: 9, action: { kind: 'stall' } })
    at.registry.fail({ method: 'PUT', times: 9, action: { kind: 'stall' } })
    await cancels({
      dockerfile: ['FROM scratch', 'COPY a /'],
      options: { tags: [at.at('app')], outputs: [{ type: 'registry' }] },
      when: requested(/(PATCH|PUT) .*uploads/),
    })
    assert.equal(at.registry.manifest('app', 'latest'), undefined)
  })

  for (const type of ['oci', 'docker', 'tar'] as const) {
    it(`stops writing type=${type} to a reader that does not read`, async () => {
      at.put({ a: Buffer.alloc(5_000_000, 'random enough') })
      let taken = 0
      const dest = new Writable({
        write: (chunk: Buffer) => {
          taken += chunk.length
        },
      })
      await cancels({
        dockerfile: ['FROM scratch', 'COPY a /'],
        options: { outputs: [{ type, dest }] },
        when: () => taken > 0,
      })
    })
  }

  it('removes a file that is half-written', async () => {
    truncateSync(join(at.path('context'), 'a'), 2 ** 28)
    const dockerfile = ['FROM scratch', 'COPY a /']
    const dest = at.path('x.tar')
    const options: Partial<BuildOptions> = { outputs: [{ type: 'tar', dest }] }
    await cancels({ dockerfile, options, when: started('exporting to tar') })
    assert.deepEqual(readdirSync(at.folder).sort(), ['context', 'store'])
  })

  describe('a step', () => {
    before(function () {
      if (process.geteuid?.() !== 0) this.skip()
    })
    const dockerfile = [
      'FROM scratch',
      'COPY --chmod=755 busybox /bin/busybox',
      'RUN ["/bin/busybox", "sleep", "3333"]',
    ]
    beforeEach(() => at.put({ busybox: readFileSync('/bin/busybox') }))

    it('ends its process', async () => {
      await cancels({ dockerfile, when: started('RUN'), later: 300 })
    })

    it('stops waiting for the same step of another build', async () => {
      const controller = new AbortController()
      const { signal } = controller
      let isRunning = false
      const onEvent = (event: BuildEvent): void => {
        if (event.type === 'started' && event.name.includes('RUN')) isRunning = true
      }
      const other = at.build(dockerfile, { signal, onEvent })
      const ended = assert.rejects(other, { code: 'CANCELLED' })
      await until(() => isRunning)
      await assert.rejects(at.build(dockerfile, { signal: AbortSignal.timeout(700) }), {
        code: 'CANCELLED',
      })
      controller.abort()
      await ended
    })

    it('is ended when another one fails', async () => {
      const text = [
        'FROM scratch AS slow',
        ...dockerfile.slice(1),
        'FROM scratch AS bad',
        'COPY --chmod=755 busybox /bin/busybox',
        'RUN ["/bin/busybox", "sh", "-c", "sleep 0.3; exit 3"]',
        'FROM scratch',
        'COPY --from=slow / /slow',
        'COPY --from=bad / /bad',
      ]
      const events: BuildEvent[] = []
      const building = at.build(text, { onEvent: (event) => void events.push(event) })
      await assert.rejects(building, { code: 'STEP_FAILED' })
      const ends = events.flatMap(({ type }) =>
        type === 'failed' || type === 'cancelled' ? [type] : [],
      )
      assert.deepEqual(ends.toSorted(), ['cancelled', 'failed'])
    })
  })
})
