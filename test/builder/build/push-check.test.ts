import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { BuildEvent, BuildOptions } from '#builder'
import { createRegistryClient } from '#registry-client'
import { NO_CREDENTIALS } from '../../suites/cache-shelf.ts'
import { namesOf, Workplace } from './support/workplace.ts'

const BUSYBOX = ['FROM scratch', 'COPY --chmod=755 busybox /bin/busybox']
const sleeping = (seconds: number): string => `RUN ["/bin/busybox", "sleep", "${seconds}"]`
describe('whether a build may push', () => {
  let at: Workplace
  before(function () {
    if (process.geteuid?.() !== 0) this.skip()
  })
  beforeEach(async () => {
    at = await Workplace.open()
    at.put({ busybox: readFileSync('/bin/busybox') })
  })
  afterEach(() => at?.[Symbol.asyncDispose]())

  const push = (options: Partial<BuildOptions> = {}): Partial<BuildOptions> => ({
    ...{ tags: [at.at('app:1')], outputs: [{ type: 'registry' }] },
    ...options,
  })
  const count = (method: string): number =>
    at.registry.log.filter((line) => line.startsWith(method) && line.includes('uploads')).length
  const answerPost = (status: number, times: number): void =>
    at.registry.fail({
      ...{ method: 'POST', path: /uploads/, times },
      action: { kind: 'reply', reply: { status } },
    })

  for (const [status, code] of [
    [403, 'REGISTRY_DENIED'],
    [401, 'REGISTRY_DENIED'],
    [404, 'NOT_FOUND'],
    [405, 'REGISTRY_FAILED'],
  ] as const) {
    it(`is found out while its first step runs: ${status}`, async () => {
      answerPost(status, 100)
      const events: BuildEvent[] = []
      const started = performance.now()
      const onEvent = (event: BuildEvent): void => void events.push(event)
      await assert.rejects(at.build([...BUSYBOX, sleeping(50)], push({ onEvent })), {
        ...{ code, message: /^check the right to push to 127\.0\.0\.1:\d+\/app: / },
      })
      assert.ok(performance.now() - started < 40_000)
      assert.ok(!namesOf(events, 'done').some((name) => name.includes('sleep')))
      assert.equal(count('POST'), 1, 'one request')
    })
  }

  it('takes no request more, and none where nothing is to be done', async () => {
    const tags = [at.at('app:1'), at.at('app:2')]
    await at.build([...BUSYBOX, sleeping(1)], push({ tags }))
    // A layer for each step, and the config.
    assert.equal(count('POST'), 3)
    assert.equal(count('DELETE'), 0)
    assert.equal(at.registry.openUploads, 0)
    const before = at.registry.requests.length
    await at.build([...BUSYBOX, sleeping(1)], push({ tags }))
    const again = at.registry.requests.slice(before)
    assert.ok(again.length > 0)
    assert.ok(!again.some(({ method }) => method === 'POST'), 'nothing is to be done')
  })

  it('is not the question of a build that pushes nothing', async () => {
    await at.build([...BUSYBOX, sleeping(0)], { tags: [at.at('app:1')] })
    assert.deepEqual(at.registry.log, [])
  })

  it('is left to the push where the registry fails for now', async () => {
    answerPost(503, 1)
    await at.build([...BUSYBOX, sleeping(1)], push())
    assert.ok(at.registry.manifest('app', '1'))
  })

  it('leaves no upload where nothing comes of it', async () => {
    const failing = 'RUN ["/bin/busybox", "sh", "-c", "/bin/busybox sleep 1; exit 3"]'
    await assert.rejects(at.build([...BUSYBOX, failing], push()), { code: 'STEP_FAILED' })
    assert.deepEqual([count('POST'), count('DELETE'), at.registry.openUploads], [1, 1, 0])
    await using client = createRegistryClient({ credentials: NO_CREDENTIALS })
    const repository = client.repository({ registry: at.registry.host, repository: 'app' })
    await repository.checkPush()
    assert.equal(at.registry.openUploads, 1)
    await client.close()
    assert.equal(at.registry.openUploads, 0)
  })

  it('is asked once for, with a stale answer replaced', async () => {
    await using client = createRegistryClient({ credentials: NO_CREDENTIALS })
    const repository = client.repository({ registry: at.registry.host, repository: 'app' })
    await repository.checkPush()
    at.registry.fail({
      ...{ method: 'PATCH', path: /uploads/, times: 1 },
      action: { kind: 'reply', reply: { status: 404 } },
    })
    const open = async () =>
      (async function* () {
        yield Buffer.from('a layer')
      })()
    const { digest } = await repository.upload('application/octet-stream', open)
    assert.ok(at.registry.blob('app', digest))
    assert.equal(count('POST'), 2)
  })
})
