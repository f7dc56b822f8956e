import { formatPlatform, type Platform } from '#core'
import type { SourceRange } from '#parser'
import type { BaseLookup, ResolvedBase } from './bases.ts'
import type { ExecVertex, FilesVertex, Vertex, VertexId } from './vertex.ts'

type NewVertex = Omit<FilesVertex, 'id'> | Omit<ExecVertex, 'id'>

/** The vertices planned so far, in order; an image used twice is one vertex. */
export class VertexList {
  readonly #vertices = new Map<VertexId, Vertex>()
  readonly #images = new Map<string, VertexId>()
  readonly #bases: BaseLookup

  constructor(bases: BaseLookup) {
    this.#bases = bases
  }

  get all(): ReadonlyMap<VertexId, Vertex> {
    return this.#vertices
  }

  add(vertex: NewVertex): VertexId {
    const id = `v${this.#vertices.size}`
    this.#vertices.set(id, { ...vertex, id })
    return id
  }

  /** The vertex of an image that was resolved before planning. */
  image(
    name: string,
    platform: Platform,
    place: { readonly label: (base: ResolvedBase) => string; readonly range: SourceRange },
  ): { readonly id: VertexId; readonly base: ResolvedBase } {
    const base = this.#bases(name, platform)
    // Asked for in any case: a stage numbers its FROM, also when another stage has the same.
    const label = place.label(base)
    const key = `${base.name} ${formatPlatform(platform)}`
    const known = this.#images.get(key)
    if (known !== undefined) return { id: known, base }
    const id = `v${this.#vertices.size}`
    this.#vertices.set(id, { op: 'image', id, name: label, range: place.range, base })
    this.#images.set(key, id)
    return { id, base }
  }
}
