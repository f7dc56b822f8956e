import { type Methods, responses, unary } from '#buildkit/grpc'
import {
  DISK_USAGE_REQUEST,
  DISK_USAGE_RESPONSE,
  EMPTY,
  EVALUATE_REQUEST,
  GATEWAY_SOLVE_REQUEST,
  GATEWAY_SOLVE_RESPONSE,
  HEALTH_CHECK_REQUEST,
  HEALTH_CHECK_RESPONSE,
  INFO_RESPONSE,
  INPUTS_RESPONSE,
  LIST_WORKERS_REQUEST,
  LIST_WORKERS_RESPONSE,
  PONG_RESPONSE,
  PRUNE_REQUEST,
  READ_DIR_REQUEST,
  READ_DIR_RESPONSE,
  READ_FILE_REQUEST,
  READ_FILE_RESPONSE,
  RESOLVE_IMAGE_CONFIG_REQUEST,
  RESOLVE_IMAGE_CONFIG_RESPONSE,
  RETURN_REQUEST,
  SOLVE_REQUEST,
  SOLVE_RESPONSE,
  type SolveRequest,
  STAT_FILE_REQUEST,
  STAT_FILE_RESPONSE,
  STATUS_REQUEST,
  STATUS_RESPONSE,
  USAGE_RECORD,
  WARN_REQUEST,
} from '#buildkit/messages'
import type { Session, Sessions } from '#buildkit/session'
import { usageError } from '#core'
import { DEFINITION_CAPS, FRONTEND_CAPS } from './capabilities.ts'
import { ClientBuild, type ClientBuildDeps } from './client-build.ts'
import { ClientBuilds } from './client-builds.ts'
import type { HeldBuild } from './results/held-build.ts'
import { readResultFile, readResultFolder, statResultFile } from './results/result-files.ts'
import { sessionMethod } from './session-method.ts'
import { diskUsage, prune } from './store-usage.ts'
import { buildkitVersion, workerRecord } from './worker-record.ts'

/** What the services are made of. */
export interface ServiceOptions extends Pick<ClientBuildDeps, 'root' | 'network' | 'transfers'> {
  readonly version: string
  readonly sessions: Sessions
}

/** The services of BuildKit, by their names, and the builds that they have under way. */
export interface ControlServices {
  readonly services: Readonly<Record<string, Methods>>
  readonly builds: ClientBuilds
  readonly solve: Solve
}

/** Does what a client asks for. @returns what it is told of its outputs. @throws {TsbuildError} as `build` */
export type Solve = (
  request: SolveRequest,
  signal: AbortSignal,
) => Promise<ReadonlyMap<string, string>>

const SERVING = 1

/** Spec: BuildKit, api/services/control and frontend/gateway/pb */
export function controlServices(options: ServiceOptions): ControlServices {
  const builds = new ClientBuilds()
  const solve = solver(options, builds)
  return {
    ...{ builds, solve },
    services: {
      'moby.buildkit.v1.Control': control(options, { builds, solve }),
      'moby.buildkit.v1.frontend.LLBBridge': gateway(options, builds),
      'grpc.health.v1.Health': {
        Check: unary(HEALTH_CHECK_REQUEST, HEALTH_CHECK_RESPONSE, async () => ({
          status: SERVING,
        })),
      },
      // Clients send what they have measured; nobody asks for it.
      'opentelemetry.proto.collector.trace.v1.TraceService': {
        Export: unary(EMPTY, EMPTY, async () => ({})),
      },
    },
  }
}

function solver(options: ServiceOptions, builds: ClientBuilds): Solve {
  const { root, network, transfers, sessions } = options
  const shared = { root, network, transfers }
  const findHeld = (id: string): HeldBuild | undefined => builds.findHeld(id)
  const session = (id: string, signal: AbortSignal): Promise<Session> =>
    sessions.get(id, { signal })
  return async (request, signal) => {
    const { Ref } = request
    await using build = builds.begin(
      Ref,
      (feed) => new ClientBuild(request, { ...shared, session, feed, findHeld }, signal),
    )
    try {
      return await build.run()
    } finally {
      builds.end(Ref)
    }
  }
}

function control(
  { root, version, sessions }: ServiceOptions,
  { builds, solve }: Pick<ControlServices, 'builds' | 'solve'>,
): Methods {
  return {
    Solve: unary(SOLVE_REQUEST, SOLVE_RESPONSE, async (request, { signal }) => ({
      ExporterResponse: await solve(request, signal),
    })),
    Status: responses(STATUS_REQUEST, STATUS_RESPONSE, ({ Ref }, { signal }) =>
      builds.feed(Ref).read(signal),
    ),
    Session: sessionMethod(sessions),
    ListWorkers: unary(LIST_WORKERS_REQUEST, LIST_WORKERS_RESPONSE, async () => ({
      record: [workerRecord(root, version)],
    })),
    Info: unary(EMPTY, INFO_RESPONSE, async () => ({ buildkitVersion: buildkitVersion() })),
    DiskUsage: unary(DISK_USAGE_REQUEST, DISK_USAGE_RESPONSE, async (request, { signal }) => ({
      record: await diskUsage(root, request, signal),
    })),
    Prune: responses(PRUNE_REQUEST, USAGE_RECORD, async function* (request, { signal }) {
      yield* await prune(root, request, signal)
    }),
  }
}

/** Which build a call of a frontend belongs to. */
const BUILD_ID = 'buildkit-controlapi-buildid'

function gateway({ root, version }: ServiceOptions, builds: ClientBuilds): Methods {
  const of = async (call: {
    metadata: (name: string) => string | undefined
  }): Promise<ClientBuild> => {
    const id = call.metadata(BUILD_ID)
    if (id === undefined) throw usageError('a call of a frontend does not name its build')
    return await builds.find(id)
  }
  return {
    Ping: unary(EMPTY, PONG_RESPONSE, async () => ({
      FrontendAPICaps: FRONTEND_CAPS,
      LLBCaps: DEFINITION_CAPS,
      Workers: [workerRecord(root, version)],
    })),
    Solve: unary(GATEWAY_SOLVE_REQUEST, GATEWAY_SOLVE_RESPONSE, async (request, call) => ({
      result: await (await of(call)).solveFor(request),
    })),
    Return: unary(RETURN_REQUEST, EMPTY, async (request, call) => {
      const build = await of(call)
      build.return(request)
      return {}
    }),
    Inputs: unary(EMPTY, INPUTS_RESPONSE, async (_, call) => {
      await of(call)
      return {}
    }),
    Evaluate: unary(EVALUATE_REQUEST, EMPTY, async ({ Ref }, call) => {
      // What it stands for has been done before it got its name.
      const build = await of(call)
      build.ref(Ref)
      return {}
    }),
    ResolveImageConfig: unary(
      RESOLVE_IMAGE_CONFIG_REQUEST,
      RESOLVE_IMAGE_CONFIG_RESPONSE,
      async (request, call) => await (await of(call)).resolveConfig(request),
    ),
    ReadFile: unary(READ_FILE_REQUEST, READ_FILE_RESPONSE, async (request, call) => {
      const { image } = (await of(call)).ref(request.Ref)
      return { Data: await readResultFile(image, request) }
    }),
    ReadDir: unary(READ_DIR_REQUEST, READ_DIR_RESPONSE, async (request, call) => {
      const { image } = (await of(call)).ref(request.Ref)
      return { entries: await readResultFolder(image, request) }
    }),
    StatFile: unary(STAT_FILE_REQUEST, STAT_FILE_RESPONSE, async (request, call) => {
      const { image } = (await of(call)).ref(request.Ref)
      return { stat: await statResultFile(image, request) }
    }),
    Warn: unary(WARN_REQUEST, EMPTY, async (_, call) => {
      await of(call)
      return {}
    }),
  }
}
