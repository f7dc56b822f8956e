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

  it("is read as docker's classic builder and Go's encoder write it", () => {
    const text = `{"architecture":"amd64","config":{"Hostname":"","Domainname":"","User":"","AttachStdin":false,
      "ExposedPorts":{"80/TCP":{},"80/tcp":{}},"Tty":false,"Env":["A=1","a=2"],"Cmd":["/bin/sh"],"Image":"sha256:0",
      "Healthcheck":{"Test":["NONE"],"Interval":0},"Volumes":null,"WorkingDir":"","Entrypoint":null,"OnBuild":null,
      "Labels":{"Version":"1","version":"2","maintainer":null},"StopTimeout":10},"container":"0f","container_config":
      {"Cmd":["x"],"Labels":{}},"created":"2021-01-02T03:04:05.678901234Z","docker_version":"20.10.7","id":"0f",
      "history":[{"created":"2021-01-02T03:04:05Z","created_by":"x \\u0026\\u0026 y","empty_layer":true}],
      "moby.buildkit.cache.v0":"e30=","os":"linux","rootfs":{"type":"layers","diff_ids":null},"Size":1.5e9}`
    const { config, history, diffIds } = parseImageConfig(Buffer.from(text))
    assert.deepEqual(config, {
      ExposedPorts: { '80/TCP': {}, '80/tcp': {} },
      Env: ['A=1', 'a=2'],
      Cmd: ['/bin/sh'],
      Healthcheck: { Test: ['NONE'], Interval: 0 },
      Labels: { Version: '1', version: '2', maintainer: '' },
    })
    assert.equal(history[0]?.created_by, 'x && y')
    assert.deepEqual(diffIds, [])
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
