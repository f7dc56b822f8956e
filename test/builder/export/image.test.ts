import assert from 'node:assert/strict'
import { assembleImage, type StepLayer } from '#builder/export'
import type { PlannedHistory, PlannedImage } from '#builder/plan'
import { digestOf, parseDiffId, parseImageConfig } from '#core'

const NOW = new Date('2030-01-01T00:00:00Z')
const PLATFORM = { os: 'linux', architecture: 'amd64' }

function layer(name: string, made?: { readonly vertex: string; readonly at: string }): StepLayer {
  return {
    diffId: parseDiffId(digestOf(name)),
    size: 1,
    blob: undefined,
    origin: undefined,
    vertex: made?.vertex,
    createdAt: made && new Date(made.at),
  }
}

function planned(history: readonly PlannedHistory[]): PlannedImage {
  return {
    platform: PLATFORM,
    offered: PLATFORM,
    top: undefined,
    config: { Cmd: ['x'] },
    author: 'me',
    history,
  }
}

const kept = (entry: Extract<PlannedHistory, { kind: 'kept' }>['entry']): PlannedHistory => {
  return { kind: 'kept', entry }
}
const added = (createdBy: string, vertex?: string): PlannedHistory => {
  return { kind: 'new', createdBy, vertex }
}

describe('assembled image', () => {
  const first = { vertex: 'v1', at: '2025-01-01T00:00:01Z' }
  const second = { vertex: 'v2', at: '2025-01-01T00:00:02Z' }
  const history = [added('ENV a=b'), added('RUN 1', 'v1'), added('CMD x'), added('RUN 2', 'v2')]

  it('is named by its config, which records the inputs', () => {
    const image = assembleImage(planned(history), [layer('1', first), layer('2', second)], {
      defaultCreatedAt: NOW,
    })
    assert.equal(image.id, digestOf(image.configBytes))
    const config = parseImageConfig(image.configBytes)
    assert.deepEqual(config.diffIds, [layer('1').diffId, layer('2').diffId])
    assert.equal(config.author, 'me')
    assert.deepEqual(config.config, { Cmd: ['x'] })
  })

  it('has the times of its steps, and those in between of the step before', () => {
    const { config } = assembleImage(planned(history), [layer('1', first), layer('2', second)], {
      defaultCreatedAt: NOW,
    })
    assert.deepEqual(
      config.history.map(({ created, created_by: by, empty_layer: empty }) => [by, created, empty]),
      [
        ['ENV a=b', first.at, true],
        ['RUN 1', first.at, undefined],
        ['CMD x', first.at, true],
        ['RUN 2', second.at, undefined],
      ],
    )
    assert.equal(config.created, second.at)
    assert.ok(config.history.every(({ comment }) => comment === 'buildkit.dockerfile.v0'))
  })

  it('does not depend on the clock when it has a step or a base', () => {
    const base = kept({ created: '2020-01-01T00:00:00Z', created_by: 'base' })
    for (const [items, layers] of [
      [history, [layer('1', first), layer('2', second)]],
      [[base, added('CMD x')], [layer('0')]],
    ] as const) {
      const [one, two] = [NOW, new Date(0)].map((now) =>
        assembleImage(planned(items), layers, { defaultCreatedAt: now }),
      )
      assert.equal(one?.id, two?.id)
    }
  })

  it('keeps the history of its base, and has an entry for each of its layers', () => {
    const base = kept({ created: '2020-01-01T00:00:00Z', created_by: 'base' })
    const layers = [layer('0'), layer('00'), layer('1', first), layer('2', second)]
    const { config } = assembleImage(planned([base, ...history]), layers, { defaultCreatedAt: NOW })
    assert.deepEqual(
      config.history.map(({ created, created_by: by }) => [by, created]).slice(0, 3),
      [
        ['base', '2020-01-01T00:00:00Z'],
        ['layer of the base image', first.at],
        ['ENV a=b', first.at],
      ],
    )
    const filled = config.history.filter(({ empty_layer: empty }) => empty !== true)
    assert.equal(filled.length, config.diffIds.length)
  })

  it('is made now when there is nothing that has a time', () => {
    const { config } = assembleImage(planned([added('CMD x')]), [], { defaultCreatedAt: NOW })
    assert.equal(config.created, NOW.toISOString().replace('.000Z', 'Z'))
  })
})
