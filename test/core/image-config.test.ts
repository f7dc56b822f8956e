import assert from 'node:assert/strict'
import {
  digestOf,
  type ImageConfig,
  parseDiffId,
  parseImageConfig,
  serializeImageConfig,
} from '#core'

const image: ImageConfig = {
  platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
  created: '2024-01-01T00:00:00.000Z',
  author: 'me',
  config: {
    User: '1000',
    ExposedPorts: { '80/tcp': {} },
    Env: ['PATH=/bin', 'A=1'],
    Entrypoint: ['/app'],
    Cmd: ['serve'],
    WorkingDir: '/srv',
    Labels: { b: '2', a: '1' },
    ArgsEscaped: true,
    Healthcheck: { Test: ['CMD', '/app'], Interval: 1e9 },
  },
  diffIds: [parseDiffId(digestOf('layer'))],
  history: [{ created_by: 'RUN x' }, { created_by: 'ENV A=1', empty_layer: true }],
}

describe('image config', () => {
  it('survives writing and reading', () => {
    assert.deepEqual(parseImageConfig(serializeImageConfig(image)), image)
  })

  it('is written with sorted top-level keys and without empty fields', () => {
    const bytes = serializeImageConfig({ ...image, config: { ...image.config, Cmd: [], User: '' } })
    const document = JSON.parse(bytes.toString()) as Record<string, object>
    assert.deepEqual(Object.keys(document), Object.keys(document).toSorted())
    assert.deepEqual(Object.keys(document.config ?? {}), [
      'ExposedPorts',
      'Env',
      'Entrypoint',
      'WorkingDir',
      'Labels',
      'ArgsEscaped',
      'Healthcheck',
    ])
    assert.match(bytes.toString(), /"Labels":\{"a":"1","b":"2"\}/)
  })

  for (const text of [
    '[]',
    '{"rootfs":1}',
    '{"rootfs":{"diff_ids":["x"]}}',
    '{"rootfs":{},"config":1}',
  ]) {
    it(`refuses ${text}`, () => {
      assert.throws(() => parseImageConfig(Buffer.from(text)), { code: 'CONFIG_INVALID' })
    })
  }
})
