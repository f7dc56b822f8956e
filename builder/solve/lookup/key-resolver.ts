import type { VertexId } from '#builder/plan'
import type { CacheKey } from '#cache'
import type { Digest } from '#core'
import type { KeyedStep } from '../keys/vertex-key.ts'
import type { Layer } from '../layers/layer.ts'
import type { Operation, StepOperation } from '../operations/operation.ts'
import type { Result } from '../operations/result.ts'
import type { ResultLookup } from './result-lookup.ts'

/** What is known of a vertex before anything was done for it. */
export interface Probe {
  /** The key of its result, unless an input that has to be made turns out otherwise. */
  readonly key: CacheKey
  /** A result was found. */
  readonly isCached: boolean
}

/** What keys are computed from. */
export interface KeyResolverDeps {
  /** Inputs come before what uses them. */
  readonly operations: ReadonlyMap<VertexId, Operation>
  readonly lookup: ResultLookup
  readonly realize: (id: VertexId) => Promise<Result>
  /** Digest of what a step selects; its sources are realized for it. */
  readonly digest: (operation: StepOperation, below: readonly Layer[]) => Promise<Digest>
}

/**
 * Computes the keys of vertices. Keys come in two kinds. By definition: what the step is and the keys
 * of its inputs; nothing has to exist for that. By content: what the selected files hold; an input that
 * was made anew but came out the same leads back to what is there already.
 */
export class KeyResolver {
  readonly #deps: KeyResolverDeps
  readonly #probes = new Map<VertexId, Promise<Probe>>()
  readonly #contents = new Map<VertexId, Promise<Digest>>()
  readonly #definitions = new Map<VertexId, Definition>()
  /** Keys of probes that have ended. */
  readonly #probed = new Map<VertexId, CacheKey>()
  /** Of steps that were found: the keys that they are stored under. */
  readonly #stored = new Map<VertexId, CacheKey>()
  /** Keys that followed from others when the cache was last asked ahead. */
  #expected: ReadonlyMap<VertexId, CacheKey> = this.#probed

  constructor(deps: KeyResolverDeps) {
    this.#deps = deps
  }

  /** Looks a vertex up by what is known before anything is done, once. */
  probe(id: VertexId): Promise<Probe> {
    const known = this.#probes.get(id)
    if (known !== undefined) return known
    const probe = this.#probe(id)
    this.#probes.set(id, probe)
    return probe
  }

  /** The key that a result has in a cache, where a probe has found it. */
  storedKey(id: VertexId): CacheKey | undefined {
    return this.#stored.get(id) ?? this.#probed.get(id)
  }

  /**
   * The key by which a step is looked up first; `undefined` when its content is not known before.
   * @param made keys of its inputs when they were made; default: what they should be
   */
  async firstKey(
    operation: StepOperation,
    root: CacheKey | undefined,
    made?: readonly CacheKey[],
  ): Promise<KeyedStep | undefined> {
    if (!operation.isByContent) {
      const inputs = made ?? (await Promise.all(operation.inputs.map((id) => this.#keyOf(id))))
      return this.#definition(operation, root, inputs)
    }
    // A step that was never done has no result to find: it is digested while it is copied.
    const family = operation.family(root, undefined)
    this.#askFamilies(operation, family)
    if (!(await this.#deps.lookup.hasFamily(operation.vertex, family))) return undefined
    return operation.contentKey(root, await this.#content(operation, []))
  }

  /** The key by what a step takes from other steps; `undefined` where its first key says that. */
  async contentKey(
    operation: StepOperation,
    root: Result | undefined,
  ): Promise<KeyedStep | undefined> {
    if (operation.selection === undefined || operation.isByContent) return undefined
    const below = root?.layers.map(({ layer }) => layer) ?? []
    return operation.contentKey(root?.key, await this.#content(operation, below))
  }

  async #probe(id: VertexId): Promise<Probe> {
    const operation = this.#operation(id)
    const probe = await (operation.kind === 'source'
      ? this.#probeSource(operation)
      : this.#probeStep(operation))
    this.#probed.set(id, probe.key)
    return probe
  }

  async #probeSource(operation: Extract<Operation, { kind: 'source' }>): Promise<Probe> {
    const key = operation.definitionKey() ?? (await this.#deps.realize(operation.vertex.id)).key
    return { key, isCached: true }
  }

  async #probeStep(operation: StepOperation): Promise<Probe> {
    const { vertex } = operation
    const root = vertex.root === undefined ? undefined : await this.#keyOf(vertex.root)
    const step = await this.firstKey(operation, root)
    if (step === undefined) return { key: operation.family(root, undefined), isCached: false }
    const query = { vertex, key: step.key, by: 'definition' } as const
    if (this.#deps.lookup.isAllowed(query)) this.#askAhead(operation, root, step.key)
    const found = await this.#deps.lookup.find(query)
    if (found === undefined) return { key: step.key, isCached: false }
    this.#stored.set(vertex.id, found.key)
    return { key: operation.resultKey(root, found.key), isCached: true }
  }

  async #keyOf(id: VertexId): Promise<CacheKey> {
    return (await this.probe(id)).key
  }

  /**
   * Asks for a step and for all steps whose keys follow from its key, if each is found by its first
   * one: a chain of steps is one call of the cache, not one a step.
   */
  #askAhead(operation: StepOperation, root: CacheKey | undefined, first: CacheKey): void {
    const { operations, lookup } = this.#deps
    if (lookup.isAsked(first)) return
    const keys = new Map(this.#probed)
    // What is found by content has another key than the one that it is asked for by.
    if (isStoredAsAsked(operation)) keys.set(operation.vertex.id, operation.resultKey(root, first))
    const wanted = new Set([first])
    for (const [id, later] of operations) {
      if (keys.has(id)) continue
      if (later.kind === 'source') {
        const key = later.definitionKey()
        if (key !== undefined) keys.set(id, key)
        continue
      }
      const { vertex } = later
      const own = this.#keyAhead(later, keys)
      if (own === undefined) continue
      if (isStoredAsAsked(later)) keys.set(id, later.resultKey(rootKey(later, keys), own))
      if (lookup.isAsked(own) || !lookup.isAllowed({ vertex, by: 'definition' })) continue
      wanted.add(own)
    }
    this.#expected = keys
    lookup.ask([...wanted])
  }

  /** Asks for the family of a copy from the context, and of all others whose roots are known. */
  #askFamilies(operation: StepOperation, family: CacheKey): void {
    const { operations, lookup } = this.#deps
    if (!lookup.mayBeFound(operation.vertex) || lookup.isFamilyAsked(family)) return
    const families = new Set([family])
    for (const later of operations.values()) {
      if (later.kind !== 'step' || !later.isByContent || !lookup.mayBeFound(later.vertex)) continue
      const { root } = later.vertex
      const key = root === undefined ? undefined : this.#expectedKey(root)
      if (root !== undefined && key === undefined) continue
      const other = later.family(key, undefined)
      if (!lookup.isFamilyAsked(other)) families.add(other)
    }
    lookup.askFamilies([...families])
  }

  #expectedKey(id: VertexId): CacheKey | undefined {
    const operation = this.#operation(id)
    const key = this.#probed.get(id) ?? this.#expected.get(id)
    return key ?? (operation.kind === 'source' ? operation.definitionKey() : undefined)
  }

  /** The key of a step by definition, where `keys` has those of its root and of all its inputs. */
  #keyAhead(operation: StepOperation, keys: ReadonlyMap<VertexId, CacheKey>): CacheKey | undefined {
    const { root } = operation.vertex
    if (root !== undefined && !keys.has(root)) return undefined
    const inputs = operation.inputs.flatMap((id) => keys.get(id) ?? [])
    if (inputs.length < operation.inputs.length) return undefined
    return this.#definition(operation, rootKey(operation, keys), inputs)?.key
  }

  /** Remembers the last one: most are asked for several times. */
  #definition(
    operation: StepOperation,
    root: CacheKey | undefined,
    inputs: readonly CacheKey[],
  ): KeyedStep | undefined {
    const known = this.#definitions.get(operation.vertex.id)
    if (known !== undefined && known.root === root && isEqual(known.inputs, inputs)) {
      return known.step
    }
    const step = operation.definitionKey(root, inputs)
    this.#definitions.set(operation.vertex.id, { root, inputs, step })
    return step
  }

  #content(operation: StepOperation, below: readonly Layer[]): Promise<Digest> {
    const { id } = operation.vertex
    const known = this.#contents.get(id)
    if (known !== undefined) return known
    const content = this.#deps.digest(operation, below)
    this.#contents.set(id, content)
    return content
  }

  #operation(id: VertexId): Operation {
    const operation = this.#deps.operations.get(id)
    if (operation === undefined) throw new Error(`no vertex ${id}`)
    return operation
  }
}

interface Definition {
  readonly root: CacheKey | undefined
  readonly inputs: readonly CacheKey[]
  readonly step: KeyedStep | undefined
}

function rootKey(
  { vertex: { root } }: StepOperation,
  keys: ReadonlyMap<VertexId, CacheKey>,
): CacheKey | undefined {
  return root === undefined ? undefined : keys.get(root)
}

/** False where the result has a key by content, to which the first key only leads. */
function isStoredAsAsked({ selection, isByContent }: StepOperation): boolean {
  return selection === undefined || isByContent
}

function isEqual(a: readonly CacheKey[], b: readonly CacheKey[]): boolean {
  return a.length === b.length && a.every((key, index) => key === b[index])
}
