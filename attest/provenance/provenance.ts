import { randomUUID } from 'node:crypto'
import type { OpenedContext } from '#builder/context'
import type { ProvenanceOptions, Settings } from '#builder/options'
import type { Plan } from '#builder/plan'
import {
  formatPlatform,
  hostPlatform,
  type Json,
  type JsonObject,
  type Material,
  type WrittenManifest,
} from '#core'
import { resolvedDependencies, resourceOf } from './dependencies.ts'
import { redactJson, redactor } from './redact.ts'
import { localFolders, requestArgs, secretsOf } from './request.ts'
import { stepGraph, stepLayers, stepSources } from './steps.ts'

/** What is known of how an image came about. */
export interface ProvenanceFacts {
  readonly options: ProvenanceOptions
  readonly settings: Settings
  readonly context: OpenedContext
  readonly plan: Plan
  readonly materials: readonly Material[]
  /** The steps that made its layers, bottom layer first. */
  readonly layerSteps: readonly (string | undefined)[]
  /** See `versionControl`. */
  readonly versions: JsonObject
  readonly startedAt: Date
  readonly finishedAt: Date
}

/** What the parameters mean: BuildKit's definition, which holds for these. */
const BUILD_TYPE =
  'https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md'

/**
 * How an image came about. Nothing in it is a secret: see `redactor`.
 * @param image as it was written; absent for files
 * Spec: SLSA v1.0 provenance.md; BuildKit, docs/attestations/slsa-definitions.md
 */
export function provenance(facts: ProvenanceFacts, image?: WrittenManifest): Json {
  const { materials, options, startedAt, finishedAt } = facts
  const redact = redactor(variablesOf(facts))
  const predicate = {
    buildDefinition: {
      buildType: BUILD_TYPE,
      externalParameters: {
        configSource: configSource(facts),
        request: requestOf(facts),
      },
      internalParameters: { builderPlatform: formatPlatform(hostPlatform()), ...configOf(facts) },
      ...(materials.length === 0 ? {} : { resolvedDependencies: resolvedDependencies(materials) }),
    },
    runDetails: {
      builder: { id: options.builderId ?? '' },
      metadata: {
        invocationId: randomUUID(),
        startedOn: startedAt.toISOString(),
        finishedOn: finishedAt.toISOString(),
        buildkit_metadata: metadataOf(facts, image),
        ...claimsOf(facts),
      },
    },
  }
  return redactJson(predicate, redact)
}

/** What the user sets, and what steps see. */
function* variablesOf({ settings, plan }: ProvenanceFacts): Generator<readonly [string, string]> {
  yield* Object.entries(settings.buildArgs)
  for (const vertex of plan.vertices.values()) {
    if (vertex.op !== 'exec') continue
    yield* vertex.args
    for (const text of vertex.process.env) {
      const at = text.indexOf('=')
      yield [text.slice(0, at), text.slice(at + 1)]
    }
  }
}

/** Where the Dockerfile comes from, where that is not the client. */
function configSource({ settings, context }: ProvenanceFacts): JsonObject {
  const { kind } = settings.context
  // The Dockerfile may have been fetched before it.
  const material = context.materials.findLast((one) => one.kind === kind)
  if (material === undefined) return {}
  return { ...resourceOf(material), path: settings.file ?? 'Dockerfile' }
}

function requestOf({ options, settings, plan }: ProvenanceFacts): JsonObject {
  const locals = localFolders(settings).map((name) => ({ name }))
  const args = requestArgs(settings)
  const isGiven = options.mode === 'max' && Object.keys(args).length > 0
  return {
    frontend: 'dockerfile.v0',
    ...(isGiven ? { args } : {}),
    ...(options.mode === 'max' ? secretsOf(plan) : {}),
    ...(locals.length === 0 ? {} : { locals }),
  }
}

function configOf({ options, plan }: ProvenanceFacts): JsonObject {
  if (options.mode === 'min') return {}
  return { buildConfig: { llbDefinition: stepGraph(plan).definition } }
}

function metadataOf(facts: ProvenanceFacts, image: WrittenManifest | undefined): JsonObject {
  const { options, plan, context, layerSteps, versions } = facts
  if (options.mode === 'min') return versions
  const graph = stepGraph(plan)
  const redact = redactor(variablesOf(facts))
  const { source } = context.loaded
  return {
    ...versions,
    source: stepSources(plan.vertices.values(), graph, { source, redact }),
    ...(image === undefined ? {} : { layers: stepLayers(layerSteps, graph, image) }),
  }
}

/** Whether all is said, whether steps could reach a network, and whether the bytes come out again. */
function claimsOf({ options, settings, plan }: ProvenanceFacts): JsonObject {
  const isFromClient = settings.context.kind === 'bytes' || localFolders(settings).length > 0
  const reaches = [...plan.vertices.values()].some(
    (vertex) => vertex.op === 'exec' && vertex.process.network !== 'none',
  )
  const isWhole = options.mode === 'max' || Object.keys(requestArgs(settings)).length === 0
  return {
    buildkit_completeness: { request: isWhole, resolvedDependencies: !isFromClient },
    ...(isFromClient || reaches ? {} : { buildkit_hermetic: true }),
    ...((options.reproducible ?? settings.reproducible) ? { buildkit_reproducible: true } : {}),
  }
}
