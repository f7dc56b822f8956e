import assert from 'node:assert/strict'
import type { SolvedStep, StepTaker } from '#builder/solve'
import type { CacheKey } from '#cache'
import { uncompressedDigest } from '#core'
import { RemoteContent, RemoteResults } from './remote-results.ts'
import { solverSuite } from './solver-suite.ts'
import { type Bench, bench, type Solved } from './support.ts'

solverSuite('a remote cache', () => {
  const content = new RemoteContent()
  return (store) => new RemoteResults(content, store)
})

describe('solver and a remote cache', () => {
  let content: RemoteContent
  let one: Bench
  let two: Bench

  beforeEach(() => {
    content = new RemoteContent()
    one = bench((store) => new RemoteResults(content, store))
    two = bench((store) => new RemoteResults(content, store))
    for (const machine of [one, two]) {
      machine.put('src/a', '1')
      machine.put('conf', 'x')
    }
  })
  afterEach(() => {
    one[Symbol.dispose]()
    two[Symbol.dispose]()
  })

  const text = [
    'FROM scratch AS build',
    'COPY src /src',
    'RUN write out/app v1',
    'FROM scratch',
    // No directory, whose time would be that of the step.
    'COPY conf /conf',
    'COPY --from=build /out /out',
    'RUN write etc/done yes',
  ].join('\n')

  it('finds what another machine has done, and makes the same image', async () => {
    const made = await one.solve(text)
    assert.equal(made.ran.length, 2)
    const { opened } = content
    const found = await two.solve(text)
    assert.deepEqual(found.ran, [])
    assert.equal(found.cached.length, 5)
    assert.equal(made.diffIds.length, 3)
    assert.deepEqual(found.diffIds, made.diffIds)
    assert.equal(found.imageId, made.imageId)
    assert.equal(content.opened - opened, 3, 'of five layers the image has three')
    await two.solve(text)
    assert.equal(content.opened - opened, 3, 'a layer in the store is not fetched again')
  })

  it('fetches no layer whose bytes nothing needs, until a step looks into it', async () => {
    const made = await one.solve(text)
    const { opened } = content
    const found = await two.solve(text, { needsBytes: false })
    assert.deepEqual(found.ran, [])
    assert.deepEqual(found.diffIds, made.diffIds)
    assert.equal(found.imageId, made.imageId)
    assert.equal(content.opened, opened)
    const more = await two.solve(`${text}\nRUN write etc/more yes`, { needsBytes: false })
    assert.deepEqual(more.ran, ['write etc/more yes'])
    assert.equal(content.opened - opened, 3, 'the three that the step runs on')
    content.blobs.clear()
    const again = await two.solve(text)
    assert.deepEqual(again.ran, [], 'what was fetched is a result of this machine')
    assert.equal(again.imageId, made.imageId)
  })

  it('runs a step again whose layer is gone, and nothing that was found on top of it', async () => {
    const made = await one.solve(text)
    const [first] = made.diffIds
    assert.ok(first !== undefined && content.blobs.delete(uncompressedDigest(first)))
    const found = await two.solve(text, { needsBytes: false })
    assert.deepEqual(found.ran, [])
    assert.deepEqual(found.diffIds, made.diffIds)
    assert.equal(
      found.cached.some((name) => name.includes('COPY conf')),
      false,
    )
    assert.equal(warningsOf(found).length, 1)
  })

  it('hands results on, executed or found, with all that another machine needs', async () => {
    const taken: SolvedStep[] = []
    const families = new Set<CacheKey>()
    const taker = (takesAll: boolean): StepTaker => ({
      takesAll,
      take: (step) => taken.push(step),
      takeFamily: (family) => families.add(family),
    })
    await one.solve(text, { taker: taker(false) })
    assert.equal(taken.length, 5)
    assert.equal(taken.filter(({ isInImage }) => isInImage).length, 3)
    const keys = new Set(taken.map(({ key }) => key))
    families.clear()
    for (const machine of [one, two]) {
      taken.length = 0
      await machine.solve(text, { taker: taker(false) })
      assert.equal(taken.length, 3, 'what lies below a copy that was found is not needed')
      assert.equal(families.size, 3, 'those of all copies, though')
      families.clear()
      taken.length = 0
      await machine.solve(text, { taker: taker(true), needsBytes: false })
      assert.deepEqual(new Set(taken.map(({ key }) => key)), keys)
    }
  })

  it('runs steps on top of what another machine has done', async () => {
    const more = `${text}\nRUN write etc/more yes`
    await one.solve(text)
    const [here, there] = [await two.solve(more), await one.solve(more)]
    assert.deepEqual(here.ran, ['write etc/more yes'])
    assert.deepEqual(there.ran, [])
    assert.equal(there.imageId, here.imageId)
    assert.equal(here.diffIds.length, 4)
  })

  for (const [what, damage] of [
    ['with other bytes', (blob: Uint8Array) => blob.map((byte) => byte ^ 1)],
    ['that is too short', (blob: Uint8Array) => blob.subarray(512)],
    ['that is not there', () => undefined],
  ] as const) {
    it(`runs steps again whose layer has a blob ${what}`, async () => {
      const made = await one.solve(text)
      for (const [digest, blob] of content.blobs) {
        const damaged = damage(blob)
        if (damaged === undefined) content.blobs.delete(digest)
        else content.blobs.set(digest, damaged)
      }
      const { opened } = content
      const again = await two.solve(text)
      assert.ok(content.opened > opened)
      assert.deepEqual(again.ran, made.ran)
      assert.ok(
        again.cached.every((name) => name.includes('COPY --from')),
        again.cached.join(),
      )
      assert.equal(warningsOf(again).length, 1)
    })
  }
})

function warningsOf({ events }: Solved): readonly string[] {
  return events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))
}
