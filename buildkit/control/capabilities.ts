import type { ApiCap, Draft } from '#buildkit/messages'

/** What clients may ask of a frontend: each has a test. Spec: BuildKit, frontend/gateway/pb/caps.go */
const FRONTEND = [
  ...['solve.base', 'return', 'returnmap', 'proto.refarray', 'reference.output'],
  ...['importcaches', 'frontend.inputs', 'frontend.caps', 'readfile', 'readdir', 'statfile'],
  ...['gateway.solve.metadata', 'gateway.solve.evaluate', 'gateway.evaluate', 'gateway.warnings'],
  'reference.attestations',
]

/**
 * Of definitions only few operations are understood, but clients take what is not said here for lacking in what
 * they ask of the frontend as well. Spec: BuildKit, solver/pb/caps.go
 */
const DEFINITIONS = [
  ...['source.image', 'source.image.resolvemode', 'source.local', 'source.local.unique'],
  ...['source.local.sessionid', 'source.local.includepatterns', 'source.local.followpaths'],
  ...['source.local.excludepatterns', 'source.local.sharedkeyhint', 'source.local.differ'],
  ...['source.git', 'source.git.keepgitdir', 'source.git.fullurl', 'source.git.subdir'],
  ...['source.http', 'source.http.checksum', 'source.ocilayout'],
  ...['exec.meta.base', 'exec.meta.network', 'exec.meta.security', 'exec.meta.ulimit'],
  ...['exec.meta.cgroup.parent', 'exec.mount.bind', 'exec.mount.cache', 'exec.mount.secret'],
  ...['exec.mount.ssh', 'exec.mount.tmpfs', 'exec.secretenv', 'file.base', 'constraints'],
  ...['platform', 'meta.ignorecache', 'meta.description', 'cache.gha', 'cache.s3'],
  ...['cache.azblob', 'mergeop', 'exporter.image.annotations', 'exporter.image.attestations'],
  ...['exporter.sourcedateepoch', 'exporter.multiple'],
]

export const FRONTEND_CAPS: readonly Draft<ApiCap>[] = FRONTEND.map(enabled)
export const DEFINITION_CAPS: readonly Draft<ApiCap>[] = DEFINITIONS.map(enabled)

function enabled(ID: string): Draft<ApiCap> {
  return { ID, Enabled: true }
}
