import {
  type BuildEvent,
  type BuildWarning,
  digestOf,
  isOfVertex,
  type PlannedVertex,
  unreachable,
  type VertexCached,
  type VertexFact,
  type VertexLog,
  type VertexProgress,
} from '#core'
import type { SourceFile } from '#parser'
import type { LogLimits } from './log-clip.ts'
import { OutputVertices } from './output-vertices.ts'
import { WARNINGS } from './own-vertices.ts'
import { PlannedVertices } from './planned-vertices.ts'
import { CANCELED, type StatusTable, type VertexState } from './status-table.ts'
import { StepOutputs } from './step-outputs.ts'
import { clientName, isCache, isPull, pullOf, vertexIdOf } from './vertex-names.ts'

export interface TranslatorOptions {
  /** Vertices of the same ID are one in it. */
  readonly space: string
  /** The build is for several platforms. */
  readonly hasPlatforms: boolean
  readonly limits: LogLimits
  /** Digest of the vertex that loads the Dockerfile. */
  readonly definition: string
  readonly dockerfile: () => SourceFile | undefined
  readonly onFailure: (digest: string) => void
}

type VertexStarted = Extract<VertexFact, { readonly type: 'started' }>
type Timed<T> = T & { readonly time: number }

/** Makes of the events of one build what BuildKit says in the same case. */
export class BuildTranslator {
  readonly #table: StatusTable
  readonly #options: TranslatorOptions
  readonly #outputs: OutputVertices
  readonly #planned = new PlannedVertices()
  readonly #steps: StepOutputs
  readonly #digests = new Map<string, string>()
  /** Results that were found, and when: they may be shown as vertices of another platform. */
  readonly #found = new Map<string, number>()
  /** Images, by the IDs of their vertices, of which layers were fetched or found. */
  readonly #settled = new Set<string>()

  constructor(table: StatusTable, options: TranslatorOptions) {
    this.#table = table
    this.#options = options
    this.#outputs = new OutputVertices(table)
    this.#steps = new StepOutputs(table.logs, options.limits)
  }

  handle(event: BuildEvent): void {
    if (event.type === 'planned') this.#plan(event.vertices)
    else if (event.type === 'warning') this.#warn(event)
    else if (isOfVertex(event)) this.#handleVertex(event)
  }

  #handleVertex(event: Timed<VertexFact>): void {
    if (event.type === 'started') {
      this.#begin(event)
      return
    }
    if (event.type === 'cached' && this.#isShown(event)) return
    const found = this.#found.get(event.vertex)
    if (found !== undefined) this.#start(event.vertex, '', found)
    this.#handleStarted(event)
  }

  #handleStarted(event: Timed<Exclude<VertexFact, VertexStarted>>): void {
    switch (event.type) {
      case 'log':
        this.#log(event)
        break
      case 'progress':
        this.#progress(event)
        break
      case 'done':
        if (event.key !== undefined) this.#planned.end(event.vertex, event.key)
        this.#outputs.end(this.#digestOf(event.vertex), event)
        this.#end(event.vertex, { completed: event.time })
        break
      case 'cached':
        this.#cached(event)
        break
      case 'failed':
        if (!isCache(event.vertex)) this.#options.onFailure(this.#digestOf(event.vertex))
        this.#end(event.vertex, { completed: event.time, error: event.message })
        break
      case 'cancelled':
        this.#end(event.vertex, { completed: event.time, error: CANCELED })
        break
      default:
        unreachable(event)
    }
  }

  #digestOf(id: string): string {
    const known = this.#digests.get(id)
    if (known !== undefined) return known
    const digest = digestOf(`${this.#options.space}\n${vertexIdOf(id)}`)
    this.#digests.set(id, digest)
    return digest
  }

  #plan(vertices: readonly PlannedVertex[]): void {
    this.#planned.add(vertices)
    // With several platforms it is seen later which of them are one.
    if (this.#options.hasPlatforms) return
    for (const { id } of vertices) this.#announce(id)
  }

  #announce(id: string): void {
    const inputs = this.#planned.get(id)?.inputs ?? []
    this.#table.setVertex(this.#digestOf(id), {
      name: this.#planned.nameOf(id) ?? '',
      inputs: inputs.map((input) => this.#digestOf(input)),
    })
  }

  #begin({ vertex, name, time, reason, part }: Timed<VertexStarted>): void {
    const isFound = reason === undefined && part === undefined
    const isPlanned = this.#planned.get(vertex) !== undefined
    if (this.#options.hasPlatforms && isFound && isPlanned) this.#found.set(vertex, time)
    else this.#start(vertex, name, time)
  }

  /** Whether a result that was found is that of another platform, where the same was done. */
  #isShown({ vertex, key }: VertexCached): boolean {
    const same = key === undefined ? undefined : this.#planned.end(vertex, key)
    if (same === undefined || !this.#found.delete(vertex)) return false
    const digest = this.#digestOf(same)
    this.#digests.set(vertex, digest).set(pullOf(vertex), digest)
    if (this.#settled.has(same)) this.#settled.add(vertex)
    return true
  }

  #start(id: string, name: string, time: number): void {
    this.#found.delete(id)
    const digest = this.#digestOf(id)
    if (this.#table.vertex(digest) === undefined && this.#planned.get(id) !== undefined) {
      this.#announce(id)
    }
    const known = this.#table.vertex(digest)?.name ?? ''
    const { hasPlatforms } = this.#options
    const state = { completed: undefined, cached: false, error: '' }
    const shown = known === '' ? clientName(id, name, { hasPlatforms }) : known
    this.#table.setVertex(digest, { ...state, name: shown, started: time })
    if (isPull(id)) this.#settled.add(vertexIdOf(id))
    this.#outputs.start(digest, name, time)
  }

  #log(event: Timed<VertexLog>): void {
    const digest = this.#digestOf(event.vertex)
    if (!this.#steps.has(digest)) {
      this.#settleImages(event.vertex, event.time)
      this.#steps.begin(digest, this.#table.vertex(digest)?.started ?? event.time)
    }
    this.#steps.add(digest, event)
  }

  #progress(event: Timed<VertexProgress>): void {
    const { vertex, id, current, total = 0, done, time } = event
    const digest = this.#digestOf(vertex)
    if (this.#outputs.isPushing(digest, time)) return
    const started = this.#table.part(digest, id)?.started ?? time
    const completed = done ? time : undefined
    this.#table.setPart(digest, { id, current, total, started, completed, time })
  }

  #warn(warning: BuildWarning & { readonly time: number }): void {
    const { rule, message, line, endLine = line, url, description: detail } = warning
    const text = rule === undefined ? message : `${rule}: ${message}`
    const isPlaced = line !== undefined && endLine !== undefined
    const vertex = this.#vertexOf(warning)
    this.#table.addWarning(vertex, {
      short: isPlaced ? `${text} (line ${line})` : text,
      detail,
      url,
      lines: isPlaced ? { start: line, end: endLine } : undefined,
      source: this.#options.dockerfile(),
    })
  }

  /** Clients show no warning without a vertex. */
  #vertexOf({ vertex, time }: BuildWarning & { readonly time: number }): string {
    if (vertex !== undefined) return this.#digestOf(vertex)
    const { definition } = this.#options
    if (this.#table.vertex(definition) !== undefined) return definition
    const own = this.#digestOf(WARNINGS.id)
    if (this.#table.vertex(own) === undefined) {
      this.#table.setVertex(own, { name: WARNINGS.name, started: time, completed: time })
    }
    return own
  }

  /**
   * An image is only resolved at first: whether its layers are here is seen when a step needs them. To ask a remote
   * is to do something.
   */
  #cached({ vertex: id, by, time }: Timed<VertexCached>): void {
    const planned = this.#planned.get(id)
    if (planned?.op !== 'image') {
      this.#end(id, by === 'remote' ? { completed: time } : { completed: time, cached: true })
      return
    }
    const digest = this.#digestOf(id)
    const started = this.#table.vertex(digest)?.started ?? time
    const part = `resolve ${planned.name.replace(/^\[[^\]]*\] FROM /, '')}`
    const state = { current: 0, total: 0, started, completed: time, time }
    this.#table.setPart(digest, { id: part, ...state })
    this.#end(id, { completed: time })
  }

  #end(id: string, end: Partial<VertexState> & { readonly completed: number }): void {
    const digest = this.#digestOf(id)
    const { completed: time, error = '' } = end
    if (error !== CANCELED && end.cached !== true) this.#settleImages(id, time)
    this.#steps.end(digest, time)
    this.#table.endParts(digest, time)
    this.#table.setVertex(digest, end)
  }

  /** Layers that a step has read and that nothing has fetched were here. */
  #settleImages(step: string, time: number): void {
    for (const id of this.#planned.imagesReadBy(step)) {
      if (this.#settled.has(id)) continue
      this.#settled.add(id)
      this.#table.setVertex(this.#digestOf(id), { started: time, completed: time, cached: true })
    }
  }
}
