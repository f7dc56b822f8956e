import { formatPlatform, type Platform } from '#core'
import type { SourceRange } from '#parser'
import type { BaseLookup, ResolvedBase } from '../bases/resolve-base.ts'
import { loadingName, type NamedContext } from './named-context.ts'
import type {
  CacheMarks,
  ExecVertex,
  FilesSource,
  FilesVertex,
  GitVertex,
  HttpVertex,
  Vertex,
  VertexId,
} from './vertex.ts'

type NewVertex = Omit<FilesVertex, 'id'> | Omit<ExecVertex, 'id'>
type NewRemote = Omit<HttpVertex, 'id'> | Omit<GitVertex, 'id'>

/** What holds for all vertices of a list. Times are milliseconds; see `Vertex`. */
export interface VertexOptions {
  /** Prefix of ids, which distinguishes the vertices of several lists. */
  readonly scope?: string | undefined
  readonly maxMtime?: number | undefined
  readonly defaultMtime?: number | undefined
  readonly contexts?: ReadonlyMap<string, NamedContext> | undefined
  /** Every step is executed. */
  readonly isFresh?: boolean
}

/** The destination of `contextFiles`. */
export const CONTEXT_FILES = '/files'

/** The vertices planned so far, in order; an image or a remote used twice is one vertex. */
export class VertexList {
  readonly #vertices = new Map<VertexId, Vertex>()
  readonly #images = new Map<string, VertexId>()
  readonly #contextFiles = new Map<string, VertexId>()
  readonly #remotes = new Map<string, VertexId>()
  readonly #bases: BaseLookup
  readonly #options: VertexOptions
  readonly #prefix: string
  #marks: CacheMarks = {}

  constructor(bases: BaseLookup, options: VertexOptions = {}) {
    this.#bases = bases
    this.#options = options
    this.#prefix = options.scope === undefined ? 'v' : `${options.scope} v`
  }

  get all(): ReadonlyMap<VertexId, Vertex> {
    return this.#vertices
  }

  /** Marks the steps that `plan` adds. */
  marked<T>(marks: CacheMarks, plan: () => T): T {
    this.#marks = marks
    try {
      return plan()
    } finally {
      this.#marks = {}
    }
  }

  add(vertex: NewVertex): VertexId {
    const id = `${this.#prefix}${this.#vertices.size}`
    const { maxMtime, defaultMtime } = this.#options
    const makes = vertex.op === 'files' && vertex.actions.some(({ kind }) => kind !== 'copy')
    this.#vertices.set(id, {
      ...vertex,
      id,
      ...(maxMtime === undefined ? {} : { maxMtime }),
      ...(makes && defaultMtime !== undefined ? { defaultMtime } : {}),
      ...this.#marksOf(vertex),
    })
    return id
  }

  #marksOf({ internal }: NewVertex): CacheMarks {
    if (this.#options.isFresh === true) return { fresh: 'flag' }
    // Its key is what the files hold, and it serves other steps as well.
    return internal === true ? {} : this.#marks
  }

  /**
   * A vertex with a file or folder of the context as `CONTEXT_FILES`, as COPY would make it: a
   * mount of it has no ignored files, belongs to root, and does not change during the step.
   * @param path absolute, in the context
   * @param context the name of the context, unless it is the build's own
   */
  contextFiles(path: string, range: SourceRange, context?: string): VertexId {
    const what = context === undefined ? 'the build context' : `the context ${context}`
    return this.#copied(`[internal] load ${path} of ${what}`, {
      source: { kind: 'context', name: context },
      path,
      destination: CONTEXT_FILES,
      range,
    })
  }

  /** Where files of a named context are copied from. */
  contextSource(name: string, range: SourceRange): FilesSource {
    const context = this.#context(name)
    if (context.kind === 'folder') return { kind: 'context', name }
    const common = { name: loadingName(name, context), range }
    const vertex =
      context.kind === 'git'
        ? this.remote({ op: 'git', source: context.source, ...common })
        : this.remote({ op: 'http', source: context.source, ...common })
    return { kind: 'vertex', vertex }
  }

  /** All files of a named context, as the root file system that FROM makes of it. */
  contextRoot(name: string, range: SourceRange): { readonly id: VertexId; readonly name: string } {
    const loading = loadingName(name, this.#context(name))
    const source = this.contextSource(name, range)
    return {
      name: loading,
      id: this.#copied(loading, { source, path: '/', destination: '/', range }),
    }
  }

  #context(name: string): NamedContext {
    const context = this.#options.contexts?.get(name)
    if (context === undefined) throw new Error(`no context ${name}`)
    return context
  }

  /** One vertex for each name. */
  #copied(
    name: string,
    copy: {
      readonly source: FilesSource
      readonly path: string
      readonly destination: string
      readonly range: SourceRange
    },
  ): VertexId {
    const known = this.#contextFiles.get(name)
    if (known !== undefined) return known
    const { source, path, destination, range } = copy
    const id = this.add({
      op: 'files',
      internal: true,
      name,
      range,
      root: undefined,
      sources: [source],
      actions: [
        {
          kind: 'copy',
          source: 0,
          paths: [path],
          destination,
          exclude: [],
          parents: false,
          unpack: 'never',
          wildcards: false,
        },
      ],
      link: false,
    })
    this.#contextFiles.set(name, id)
    return id
  }

  remote(vertex: NewRemote): VertexId {
    const key = JSON.stringify([vertex.op, vertex.source])
    const known = this.#remotes.get(key)
    if (known !== undefined) return known
    const id = `${this.#prefix}${this.#vertices.size}`
    this.#vertices.set(id, { ...vertex, id })
    this.#remotes.set(key, id)
    return id
  }

  /** The vertex of an image that was resolved before planning. */
  image(
    name: string,
    platform: Platform,
    place: { readonly label: (base: ResolvedBase) => string; readonly range: SourceRange },
  ): { readonly id: VertexId; readonly base: ResolvedBase } {
    const base = this.#bases(name, platform)
    // Always called: a stage numbers its FROM even when another stage has the same image.
    const label = place.label(base)
    const key = `${base.name} ${formatPlatform(platform)}`
    const known = this.#images.get(key)
    if (known !== undefined) return { id: known, base }
    const id = `${this.#prefix}${this.#vertices.size}`
    this.#vertices.set(id, { op: 'image', id, name: label, range: place.range, base })
    this.#images.set(key, id)
    return { id, base }
  }
}
