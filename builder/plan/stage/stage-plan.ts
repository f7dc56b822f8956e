import type { Platform } from '#core'
import type { GlobalScope, InstructionGraph, LinkedStage, SourceRange, SourceRef } from '#parser'
import type { NamedContext } from '../vertices/named-context.ts'
import type { StepSettings } from '../vertices/step-settings.ts'
import type { VertexId } from '../vertices/vertex.ts'
import type { VertexList } from '../vertices/vertex-list.ts'
import type { CacheFilter } from './cache-filter.ts'
import type { StepNames } from './step-names.ts'

/** What a plan depends on besides the graph and its bases. */
export interface PlanOptions {
  readonly globals: GlobalScope
  readonly targetPlatform: Platform
  /** True when the user has chosen the platform, which then overrides that of the base. */
  readonly isPlatformGiven?: boolean
  readonly network: 'default' | 'none' | 'host'
  readonly steps?: StepSettings | undefined
  /** One of the plans of an index: names and ids of vertices contain the platform. */
  readonly isOneOfSeveral?: boolean
  /** `SOURCE_DATE_EPOCH` in milliseconds: no time of the image that is new is later. */
  readonly sourceDateEpoch?: number | undefined
  /** `maxMtime` of every vertex. */
  readonly maxMtime?: number | undefined
  /** Folders, repositories and files that the linked stages name instead of images. */
  readonly contexts?: ReadonlyMap<string, NamedContext> | undefined
  /** Put on the image last; they win over LABEL. */
  readonly labels: Readonly<Record<string, string>>
  /** The steps that are executed whether or not their results are known. */
  readonly fresh?: 'all' | readonly CacheFilter[]
}

/** The context in which an instruction is planned. */
export interface StagePlan {
  readonly linked: LinkedStage
  readonly graph: InstructionGraph
  readonly options: PlanOptions
  readonly names: StepNames
  readonly vertices: VertexList
  /** The top vertex of a stage or image that `--from` names. */
  readonly topOf: (source: SourceRef, range: SourceRange) => VertexId | undefined
}
