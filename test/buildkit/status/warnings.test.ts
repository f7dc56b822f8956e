import assert from 'node:assert/strict'
import type { StatusResponse } from '#buildkit/messages'
import { definitionTransfer, reportTransfer, StatusFeed } from '#buildkit/status'
import { collect, START } from './support/event-script.ts'
import { FedBuilds } from './support/fed-build.ts'
import { shownVertices } from './support/shown-vertices.ts'

function warningsOf(responses: readonly StatusResponse[]): StatusResponse['warnings'] {
  return responses.flatMap(({ warnings }) => warnings)
}

describe('warnings for clients', () => {
  it('are at the vertex that loads the Dockerfile, with its lines', async () => {
    using builds = new FedBuilds()
    const dockerfile = ['FROM scratch', 'ENV \\', '  a b', 'COPY f /', ''].join('\n')
    const { responses } = await builds.run({ dockerfile, files: { f: '' } })
    const [warning, ...more] = warningsOf(responses)
    assert.deepEqual(more, [])
    assert.equal(
      warning?.short.toString(),
      'LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format (line 2)',
    )
    assert.equal(warning.level, 1)
    assert.equal(warning.detail.length, 1)
    assert.match(warning.url, /rule\/legacy-key-value-format/)
    assert.partialDeepStrictEqual(warning.info, { filename: 'Dockerfile', language: 'Dockerfile' })
    assert.equal(warning.info?.data.toString(), dockerfile)
    assert.deepEqual(warning.ranges, [
      { start: { line: 2, character: 0 }, end: { line: 3, character: 0 } },
    ])
    const name = shownVertices(responses).get(warning.vertex)?.name
    assert.equal(name, '[internal] load build definition from Dockerfile')
  })

  it('of the builder are shown where nothing was transferred', async () => {
    const feed = new StatusFeed({ ref: 'x' })
    feed.listener()({ type: 'warning', message: 'mind the gap', time: START })
    feed.close()
    const responses = await collect(feed.read())
    const [warning] = warningsOf(responses)
    assert.equal(warning?.short.toString(), 'mind the gap')
    assert.partialDeepStrictEqual(shownVertices(responses).get(warning.vertex), {
      name: '[internal] warnings',
      isCompleted: true,
    })
  })

  it('have the lines around them of a long Dockerfile only', async () => {
    const feed = new StatusFeed({ ref: 'x' })
    const text = Array.from({ length: 5000 }, (_, index) => `RUN echo ${index + 1}`).join('\n')
    feed.setDockerfile({ filename: 'Dockerfile', text })
    feed.listener()({ type: 'warning', message: 'm', line: 3000, time: START })
    feed.close()
    const [warning] = warningsOf(await collect(feed.read()))
    const lines = warning?.info?.data.toString().split('\n') ?? []
    assert.equal(lines[2999], 'RUN echo 3000')
    assert.equal(lines[2995], 'RUN echo 2996')
    assert.equal(lines[100], '')
    assert.equal(lines.length, 3005)
  })

  it('come again with the vertex, which is why clients look at them', async () => {
    const feed = new StatusFeed({ ref: 'x' })
    await reportTransfer(definitionTransfer('Dockerfile'), feed.onEvent, async (onBytes) =>
      onBytes(107),
    )
    const reader = feed.read()
    const before = await reader.next()
    assert.equal(before.value?.warnings.length, 0)
    feed.listener()({ type: 'warning', message: 'm', time: START })
    const after = await reader.next()
    assert.equal(after.value?.warnings.length, 1)
    assert.equal(after.value?.vertexes[0]?.digest, after.value?.warnings[0]?.vertex)
    feed.close()
  })
})
