import type { parseManifestOrIndex } from '#core'

const BUILDKIT_CONFIG = 'application/vnd.buildkit.cacheconfig.v0'

/** What something else than a cache of tsbuild is, as a message says it. */
export function describeOther(parsed: ReturnType<typeof parseManifestOrIndex>): string {
  const described = parsed.kind === 'index' ? parsed.index.manifests : [parsed.manifest.config]
  if (described.some(({ mediaType }) => mediaType === BUILDKIT_CONFIG)) {
    return 'a cache of BuildKit, which only BuildKit can use'
  }
  return parsed.kind === 'index' ? 'an index of images' : 'an image'
}
