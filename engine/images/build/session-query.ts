import { readDocument, shapes, TsbuildError } from '#core'
import { type BuildQuery, readBuildQuery } from './build-query.ts'

/** What docker's commands before buildx ask for with `version=2`: a build by BuildKit whose files come from a session. */
export interface SessionBuild {
  readonly id: string | undefined
  readonly session: string
  /** As BuildKit's frontend takes them. */
  readonly attributes: ReadonlyMap<string, string>
  readonly exporters: readonly SessionExporter[]
  readonly entitlements: readonly string[]
}

/** Where a result goes. */
export interface SessionExporter {
  readonly Type: string
  readonly Attrs: ReadonlyMap<string, string>
}

/** The context is the folder that the client serves in its session. */
const OF_SESSION = 'client-session'
const { list, map, object, string } = shapes
const OUTPUTS = list(object({ Type: string, Attrs: map(string) }))

/**
 * Reads such a request. Spec: Docker Engine API, POST /build
 * @throws {TsbuildError} USAGE, UNSUPPORTED
 */
export function readSessionQuery(query: BuildQuery): SessionBuild {
  const remote = query.text('remote') ?? OF_SESSION
  if (remote === 'upload-request') {
    throw new TsbuildError('a context on standard input is not taken in this way', {
      code: 'UNSUPPORTED',
      hint: 'use docker buildx build, or DOCKER_BUILDKIT=0',
    })
  }
  const isLocal = remote === OF_SESSION
  const asked = readBuildQuery(isLocal ? withoutRemote(query) : query, NOTHING)
  return {
    id: asked.id,
    session: query.text('session') ?? '',
    attributes: new Map([
      ...attributesOf(asked.options),
      ...(isLocal ? [] : [['context', remote] as const]),
    ]),
    exporters: exportersOf(query, asked.tags),
    entitlements: asked.options.network === 'host' ? ['network.host'] : [],
  }
}

/** No bytes come with the request. */
const NOTHING: AsyncIterable<Uint8Array> = {
  async *[Symbol.asyncIterator]() {
    yield* []
  },
}

function withoutRemote(query: BuildQuery): BuildQuery {
  return {
    all: (name) => query.all(name),
    flag: (name) => query.flag(name),
    integer: (name) => query.integer(name),
    text: (name) => (name === 'remote' ? undefined : query.text(name)),
  }
}

type Options = ReturnType<typeof readBuildQuery>['options']

function* attributesOf(options: Options): Generator<readonly [string, string]> {
  const { file, target, platform, network, shmSize, cgroupParent, resources = {} } = options
  const texts = {
    filename: file,
    target,
    platform: typeof platform === 'object' ? platform.join() : platform,
    'force-network-mode': network,
    'shm-size': shmSize,
    'cgroup-parent': cgroupParent,
    'no-cache': options.noCache === true ? '' : undefined,
    'image-resolve-mode': options.pull === true ? 'pull' : undefined,
    'add-hosts': csv((options.extraHosts ?? []).map(([host, address]) => `${host}=${address}`)),
    ulimit: csv((options.ulimits ?? []).map(({ name, soft, hard }) => `${name}=${soft}:${hard}`)),
    memory: resources.memory,
    memswap: resources.memorySwap,
    cpushares: resources.cpuShares,
    cpuperiod: resources.cpuPeriod,
    cpuquota: resources.cpuQuota,
    cpusetcpus: resources.cpusetCpus,
    cpusetmems: resources.cpusetMems,
  }
  for (const [name, value] of Object.entries(texts)) {
    if (value !== undefined) yield [name, String(value)]
  }
  for (const [name, value] of Object.entries(options.buildArgs ?? {})) {
    yield [`build-arg:${name}`, value]
  }
  for (const [name, value] of Object.entries(options.labels ?? {})) yield [`label:${name}`, value]
  const caches = (options.cacheFrom ?? []).flatMap((cache) =>
    cache.type === 'registry' ? [{ Type: 'registry', Attrs: { ref: cache.ref } }] : [],
  )
  if (caches.length > 0) yield ['cache-imports', JSON.stringify(caches)]
}

function csv(fields: readonly string[]): string | undefined {
  return fields.length === 0 ? undefined : fields.join()
}

/** Without any, the store of the engine gets the image. */
function exportersOf(query: BuildQuery, tags: readonly string[]): readonly SessionExporter[] {
  const text = query.text('outputs')
  const asked =
    text === undefined
      ? []
      : (readDocument(Buffer.from(text), OUTPUTS, { what: 'outputs', code: 'USAGE' }) ?? [])
  if (asked.length === 0) {
    return [{ Type: 'moby', Attrs: new Map(tags.length === 0 ? [] : [['name', tags.join()]]) }]
  }
  return asked.map(({ Type = '', Attrs = {} }) => ({ Type, Attrs: new Map(Object.entries(Attrs)) }))
}
