import type { ExecVertex, Plan, VertexId } from '#builder/plan'
import type { BuildFolders } from '#cache'
import type { BuildFact, OnEvent, PlannedVertex } from '#core'
import {
  type BuildDocument,
  type BuildFacts,
  type BuildOutcome,
  documentOf,
  type RecordedSandbox,
  type RecordedStep,
} from './build-record.ts'
import { StepRecord } from './step-record.ts'

/** What a step is started in, besides what its vertex says. */
export interface StepSurroundings extends Pick<RecordedSandbox, 'lower' | 'sources'> {
  /** What its output must not show. */
  readonly secrets: readonly Uint8Array[]
}

/** Notes what a build does, from facts while they happen, for those who ask later. */
export class BuildRecorder {
  readonly #builds: BuildFolders
  readonly #facts: BuildFacts
  readonly #steps = new Map<VertexId, RecordedStep>()
  /** The clock of the machine may be set meanwhile. */
  readonly #began = performance.now()
  /** Vertices that serve steps and are none of the Dockerfile. */
  readonly #internal = new Set<VertexId>()
  #hasRun = false

  constructor(builds: BuildFolders, facts: BuildFacts) {
    this.#builds = builds
    this.#facts = facts
  }

  /** To be called before what it consists of is planned for events. */
  addPlan({ vertices }: Plan): void {
    for (const vertex of vertices.values()) {
      if ('internal' in vertex && vertex.internal === true) this.#internal.add(vertex.id)
    }
  }

  /** Hands facts on, after it has seen them. */
  watching(onEvent: OnEvent): OnEvent {
    return (fact) => {
      this.#see(fact)
      onEvent(fact)
    }
  }

  /** Notes what a step is started in. */
  begin({ id, process, mounts, platform }: ExecVertex, around: StepSurroundings): StepRecord {
    const { secrets, lower, sources } = around
    const { proxyEnv: _, ...kept } = process
    this.#update(id, { sandbox: { process: kept, mounts, platform, lower, sources } })
    const step = stepId(id)
    const log = this.#builds.log(step, () => documentOf(this.#document('running')))
    return new StepRecord(this.#builds, { id: step, log }, secrets)
  }

  /** To be called when the build has ended. One that executed nothing is not remembered. */
  end(outcome: BuildOutcome): void {
    if (!this.#hasRun) return
    const milliseconds = Math.round(performance.now() - this.#began)
    this.#builds.end(documentOf({ ...this.#document(outcome), milliseconds }))
  }

  #document(outcome: BuildOutcome): BuildDocument {
    return { ...this.#facts, outcome, steps: [...this.#steps.values()] }
  }

  #see(fact: BuildFact): void {
    switch (fact.type) {
      case 'planned':
        for (const vertex of fact.vertices) this.#plan(vertex)
        return
      case 'started':
        if (fact.reason !== undefined) this.#hasRun = true
        return
      case 'done':
      case 'failed':
        this.#update(fact.vertex, { end: fact.type, milliseconds: fact.milliseconds })
        return
      case 'cached':
      case 'cancelled':
        this.#update(fact.vertex, { end: fact.type })
    }
  }

  #plan({ id, name, op, stage, lines, platform }: PlannedVertex): void {
    if ((op !== 'exec' && op !== 'files') || this.#internal.has(id)) return
    const place = [lines.start, lines.end] as const
    this.#steps.set(id, { id: stepId(id), name, op, stage, lines: place, platform })
  }

  #update(id: VertexId, news: Partial<RecordedStep>): void {
    const known = this.#steps.get(id)
    if (known !== undefined) this.#steps.set(id, { ...known, ...news })
  }
}

/** An id of a vertex as a word, which can be a part of the name of a file. */
function stepId(id: VertexId): string {
  return id.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
}
