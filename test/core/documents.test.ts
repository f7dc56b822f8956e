import {
  digestOf,
  type JsonObject,
  MEDIA_TYPES,
  mediaTypeOf,
  parseImageConfig,
  parseManifestOrIndex,
} from '#core'
import { documentSuite } from '../suites/documents.ts'

const platform: JsonObject = {
  architecture: 'arm',
  os: 'linux',
  'os.version': '1',
  'os.features': ['win32k'],
  variant: 'v7',
}

const descriptor = (mediaType: string): JsonObject => ({
  mediaType,
  digest: digestOf(mediaType),
  size: 10_240,
  urls: ['https://example.com/'],
  annotations: { skill: 'x', digest: 'y' },
  data: 'e30=',
  artifactType: 'a/b',
  platform,
})

const common: JsonObject = {
  schemaVersion: 2,
  artifactType: 'a/b',
  subject: descriptor(MEDIA_TYPES.ociManifest),
  annotations: { skill: 'x', mediaType: 'y' },
}
const DESCRIPTOR_MAPS = ['annotations', 'subject.annotations']
const REQUIRED = ['mediaType', 'digest', 'size']

documentSuite({
  name: 'manifest',
  example: {
    ...common,
    mediaType: MEDIA_TYPES.ociManifest,
    config: descriptor(MEDIA_TYPES.ociConfig),
    layers: [descriptor(MEDIA_TYPES.ociLayer), descriptor(MEDIA_TYPES.ociLayerGzip)],
  },
  maps: [...DESCRIPTOR_MAPS, 'config.annotations', 'layers.*.annotations'],
  required: ['config', ...REQUIRED.flatMap((field) => [`config.${field}`, `layers.*.${field}`])],
  read: (bytes) => [parseManifestOrIndex(bytes, MEDIA_TYPES.ociManifest), mediaTypeOf(bytes)],
})

documentSuite({
  name: 'index',
  example: {
    ...common,
    mediaType: MEDIA_TYPES.ociIndex,
    manifests: [descriptor(MEDIA_TYPES.ociManifest), descriptor(MEDIA_TYPES.dockerManifest)],
  },
  maps: [...DESCRIPTOR_MAPS, 'manifests.*.annotations'],
  required: REQUIRED.map((field) => `manifests.*.${field}`),
  read: (bytes) => [parseManifestOrIndex(bytes, MEDIA_TYPES.ociIndex), mediaTypeOf(bytes)],
})

documentSuite({
  name: 'image config',
  example: {
    ...platform,
    created: '2026-01-02T03:04:05Z',
    author: 'me',
    config: {
      User: '1000',
      ExposedPorts: { '80/tcp': {} },
      Env: ['PATH=/bin', 'Path=/bin'],
      Entrypoint: ['/app'],
      Cmd: ['serve'],
      Volumes: { '/skin': {} },
      WorkingDir: '/srv',
      Labels: { version: '1', skin: '2' },
      StopSignal: 'SIGTERM',
      ArgsEscaped: true,
      Healthcheck: {
        Test: ['CMD', '/app'],
        Interval: 10_800_000_000_000_000,
        Timeout: 1_000_000_000,
        StartPeriod: 2,
        StartInterval: 3,
        Retries: 4,
      },
      OnBuild: ['RUN true'],
      Shell: ['/bin/sh', '-c'],
    },
    rootfs: { type: 'layers', diff_ids: [digestOf('layer')] },
    history: [
      { created: '2026-01-02T03:04:05Z', created_by: 'RUN x', author: 'me', comment: 'c' },
      { created_by: 'ENV A=1', empty_layer: true },
    ],
  },
  maps: ['config.ExposedPorts', 'config.Volumes', 'config.Labels'],
  required: [],
  read: parseImageConfig,
})
