import assert from 'node:assert/strict'
import { join } from 'node:path'
import { definitionTransfer, outputTransfer, reportTransfer, StatusFeed } from '#buildkit/status'
import { collect } from './support/event-script.ts'
import { FedBuilds } from './support/fed-build.ts'
import { shownParts, shownVertices } from './support/shown-vertices.ts'

describe('transfers of a server', () => {
  it('are vertices with their bytes', async () => {
    const feed = new StatusFeed({ ref: 'x' })
    const vertex = definitionTransfer('app.Dockerfile')
    await reportTransfer(vertex, feed.onEvent, async (onBytes) => onBytes(107))
    const failing = reportTransfer({ ...vertex, id: 'b', name: 'b' }, feed.onEvent, async () => {
      throw new Error('gone')
    })
    await assert.rejects(failing, { message: 'gone' })
    feed.close()
    const responses = await collect(feed.read())
    const [first] = responses.flatMap(({ statuses }) => statuses)
    assert.partialDeepStrictEqual(first, {
      ...{ ID: 'transferring dockerfile:', name: 'transferring', current: 107, total: 0 },
    })
    assert.notEqual(first?.completed, undefined)
    assert.deepEqual(
      [...shownVertices(responses).values()].map(({ name, error }) => ({ name, error })),
      [
        { name: '[internal] load build definition from app.Dockerfile', error: '' },
        { name: 'b', error: 'gone' },
      ],
    )
    assert.equal(shownParts(responses).size, 2)
  })

  it('of what outputs have written are parts of their vertices', async () => {
    using builds = new FedBuilds()
    const types = ['local', 'tar', 'oci', 'docker'] as const
    const feed = new StatusFeed({ ref: 'x' })
    const outputs = types.map((type) => ({ type, dest: join(builds.folder, type) }))
    await builds.build(feed, { dockerfile: 'FROM scratch\nCOPY f /', files: { f: '' }, outputs })
    for (const [position, type] of types.entries()) {
      const vertex = outputTransfer(type, position)
      await reportTransfer(vertex, feed.onEvent, async (onBytes) => onBytes(position))
    }
    feed.close()
    const responses = await collect(feed.read())
    const outputNames = [...shownVertices(responses).values()].map(({ name }) => name).slice(-4)
    assert.deepEqual(outputNames, [
      ...['exporting to client directory', 'exporting to client tarball'],
      ...['exporting to oci image format', 'exporting to docker image format'],
    ])
    const statuses = responses.flatMap((one) => one.statuses)
    const sent = statuses.filter(({ ID }) => ID === 'copying files' || ID === 'sending tarball')
    assert.deepEqual(
      sent.map(({ ID, current }) => [ID, current]),
      [
        ['copying files', 0],
        ['sending tarball', 1],
        ['sending tarball', 2],
        ['sending tarball', 3],
      ],
    )
  })
})
