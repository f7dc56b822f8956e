import type { BuildResult } from '#builder'

/** What a client is told of where a result went. Spec: BuildKit, exporter/containerimage/exptypes/types.go */
export function exporterResponse({
  descriptor,
  images,
  tags,
}: BuildResult): ReadonlyMap<string, string> {
  if (descriptor === undefined) return new Map()
  const [only, ...others] = images
  return new Map([
    ['containerimage.digest', descriptor.digest],
    ['containerimage.descriptor', Buffer.from(JSON.stringify(descriptor)).toString('base64')],
    ...(only !== undefined && others.length === 0
      ? [['containerimage.config.digest', only.id] as const]
      : []),
    ...(tags.length === 0 ? [] : [['image.name', tags.join()] as const]),
  ])
}
