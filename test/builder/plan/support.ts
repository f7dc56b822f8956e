import {
  type ExecVertex,
  type FilesVertex,
  globalScope,
  type Plan,
  planBuild,
  type ResolvedBase,
  resolveGraph,
} from '#builder/plan'
import {
  type ContainerConfig,
  digestOf,
  type ErrorCode,
  MEDIA_TYPES,
  parseDiffId,
  parsePlatform,
  TsbuildError,
} from '#core'
import { diagnosticsError, parseDockerfile } from '#parser'

export interface PlanRequest {
  readonly target?: string
  readonly buildArgs?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  readonly network?: 'default' | 'none' | 'host'
  readonly platform?: string
  /** Configs of base images by name; any other name is an image with an empty config. */
  readonly images?: Readonly<Record<string, ContainerConfig>>
  /** Why images are not to be had, by name; `missing` is NOT_FOUND. */
  readonly failures?: Readonly<Record<string, ErrorCode>>
}

/** Plans a Dockerfile over made-up base images, and notes which of them were asked for. */
export async function plan(
  text: string,
  request: PlanRequest = {},
): Promise<{ readonly plan: Plan; readonly resolved: readonly string[] }> {
  const { dockerfile, diagnostics } = parseDockerfile(text)
  const error = diagnosticsError(diagnostics, { filename: 'Dockerfile', text })
  if (error !== undefined) throw error
  const { target, buildArgs = {}, labels = {}, network = 'default' } = request
  const { images = {}, failures = {} } = request
  const targetPlatform = parsePlatform(request.platform ?? 'linux/amd64')
  const globals = globalScope(dockerfile, { buildArgs, targetPlatform, target })
  const resolved: string[] = []
  const { graph, bases } = await resolveGraph(dockerfile, {
    globals,
    target,
    targetPlatform,
    resolve: async (name, platform) => {
      resolved.push(name)
      const code = name === 'missing' ? 'NOT_FOUND' : failures[name]
      if (code !== undefined) throw new TsbuildError('no such image', { code })
      return {
        ...image(name, images[name] ?? {}),
        config: config(name, images[name] ?? {}, platform),
      }
    },
  })
  return { plan: planBuild(graph, bases, { globals, targetPlatform, network, labels }), resolved }
}

export function execs(planned: Plan): readonly ExecVertex[] {
  return [...planned.vertices.values()].filter((vertex) => vertex.op === 'exec')
}

export function files(planned: Plan): readonly FilesVertex[] {
  return [...planned.vertices.values()].filter((vertex) => vertex.op === 'files')
}

/** The `created_by` texts of what the Dockerfile itself adds. */
export function historyOf(planned: Plan): readonly string[] {
  return planned.image.history.flatMap((item) => (item.kind === 'new' ? [item.createdBy] : []))
}

function image(name: string, _config: ContainerConfig): Omit<ResolvedBase, 'config'> {
  const diffId = parseDiffId(digestOf(name))
  const descriptor = {
    mediaType: MEDIA_TYPES.ociLayerGzip,
    digest: digestOf(`${name} blob`),
    size: 1,
  }
  const source = {
    open: async (): Promise<never> => {
      throw new Error('planning downloads nothing')
    },
  }
  return {
    name,
    manifest: digestOf(name),
    layers: [{ diffId, descriptor, source, origin: undefined }],
  }
}

function config(
  name: string,
  container: ContainerConfig,
  platform: ResolvedBase['config']['platform'],
): ResolvedBase['config'] {
  const diffIds = [parseDiffId(digestOf(name))]
  return { platform, config: container, diffIds, history: [{ created_by: `make ${name}` }] }
}
