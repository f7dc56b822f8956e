import assert from 'node:assert/strict'
import { type BuildExplanation, keepTrace, TraceRecorder } from '#builder/explain'
import type { Store } from '#cache'
import { type BuildFact, TsbuildError } from '#core'

const PLANNED: BuildFact = {
  type: 'planned',
  vertices: ['v0', 'v1', 'v2'].map((id, index) => ({
    ...{ id, name: `[${index + 1}/3] RUN ${id}`, op: 'exec', inputs: [], stage: '0' },
    ...{ lines: { start: index + 1, end: index + 1 }, platform: 'linux/amd64' },
  })),
}

/** A recorder that has seen a build, and the facts that it has passed on. */
function recorded(...facts: readonly BuildFact[]): { recorder: TraceRecorder; seen: BuildFact[] } {
  const recorder = new TraceRecorder()
  const seen: BuildFact[] = []
  const watch = recorder.watching((fact) => void seen.push(fact))
  for (const fact of [PLANNED, ...facts]) watch(fact)
  return { recorder, seen }
}

const started = (vertex: string): BuildFact => {
  return { type: 'started', vertex, name: vertex, reason: 'no-record' }
}

describe('the trace of a build', () => {
  it('has what became of each vertex, and passes every fact on', () => {
    const facts: readonly BuildFact[] = [
      { type: 'cached', vertex: 'v0', by: 'unused', key: 'k0' },
      started('v1'),
      { type: 'log', vertex: 'v1', stream: 'stdout', data: Buffer.from('x') },
      { type: 'done', vertex: 'v1', milliseconds: 1, key: 'k1' },
      started('v2'),
      { type: 'failed', vertex: 'v2', message: 'no', milliseconds: 1 },
      { type: 'done', vertex: 'export', milliseconds: 1 },
    ]
    const { recorder, seen } = recorded(...facts)
    assert.deepEqual(seen, [PLANNED, ...facts])
    const told = recorder
      .vertices()
      .map(({ id, end, by, reason, key }) => [id, end, by ?? reason, key])
    assert.deepEqual(told, [
      ['v0', 'cached', 'unused', 'k0'],
      ['v1', 'done', 'no-record', 'k1'],
      ['v2', 'failed', 'no-record', undefined],
    ])
    assert.equal(recorder.hasRun, true)
    assert.equal(recorded().recorder.hasRun, false)
  })

  it('has the document of a step that left no record, unless it is huge', () => {
    const { recorder } = recorded(
      started('v0'),
      { type: 'done', vertex: 'v0', milliseconds: 1, key: 'k0' },
      started('v1'),
      { type: 'failed', vertex: 'v1', message: 'no', milliseconds: 1 },
      started('v2'),
      { type: 'cancelled', vertex: 'v2' },
    )
    for (const id of ['v0', 'v1']) recorder.execute(id, { id })
    recorder.execute('v2', { text: 'x'.repeat(100_000) })
    const documents = recorder.vertices().map(({ preimage }) => preimage)
    assert.deepEqual(documents, [undefined, { id: 'v1' }, undefined])
  })

  describe('kept at the end of a build', () => {
    const failing = (code: 'NO_SPACE' | 'IO_FAILED') => () => {
      throw new TsbuildError('the disk is full', { code })
    }
    const keep = async (
      recorder: TraceRecorder,
      store: object,
      options: { readonly isAsked?: boolean; readonly signal?: AbortSignal } = {},
    ) => {
      const facts: BuildFact[] = []
      const explanations: BuildExplanation[] = []
      await keepTrace(recorder, {
        ...{ context: '/c', dockerfile: '/c/Dockerfile', store: store as Store },
        onExplanation: options.isAsked ? (one) => void explanations.push(one) : undefined,
        onEvent: (fact) => void facts.push(fact),
        signal: options.signal,
      })
      return { facts, explanations }
    }
    const ran = (): TraceRecorder => recorded(started('v0')).recorder

    it('is not touched by a build that executed nothing and was not asked', async () => {
      const { facts } = await keep(recorded().recorder, {})
      assert.deepEqual(facts, [])
    })

    it('fails no build when it cannot be stored', async () => {
      const { facts } = await keep(ran(), { traces: { put: failing('NO_SPACE') } })
      assert.deepEqual(facts, [])
    })

    it('is explained also when it cannot be stored', async () => {
      const traces = { put: failing('NO_SPACE'), find: () => [] }
      const { explanations } = await keep(ran(), { traces }, { isAsked: true })
      const told = explanations.map(({ total, ran: count }) => [total, count])
      assert.deepEqual(told, [[3, 1]])
    })

    it('is a warning when it cannot be explained, and nothing for a build that was stopped', async () => {
      const traces = { put: () => undefined, find: failing('IO_FAILED') }
      const { facts, explanations } = await keep(ran(), { traces }, { isAsked: true })
      assert.deepEqual(explanations, [])
      assert.deepEqual(facts, [
        { type: 'warning', message: 'it cannot be said why steps ran: the disk is full' },
      ])
      const stopped = await keep(ran(), { traces }, { isAsked: true, signal: AbortSignal.abort() })
      assert.deepEqual([stopped.facts, stopped.explanations], [[], []])
    })
  })
})
