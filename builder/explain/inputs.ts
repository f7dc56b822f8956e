import type { CacheKey, CacheRecord, LayerId } from '#cache'
import { canonicalJson, type Json } from '#core'
import { listOf, memberOf, textOf, toDifference } from './differences/members.ts'
import type { Difference, StepPlace } from './report/explanation.ts'
import { hasRun, isStep, type Trace, type TracedVertex } from './trace/trace.ts'

/** Two layers in which files are still to be compared. */
export interface ComparedLayers {
  readonly from: LayerId | undefined
  readonly to: LayerId | undefined
  /** The document of the copy that has made them. */
  readonly document: Json
  /** The path that was copied, where it is one and known as a whole. */
  readonly path: string | undefined
}

/** A difference that may say that files differ, and not yet which. */
export interface FoundDifference extends Difference {
  readonly layers?: ComparedLayers
  /** The step below, or the one that files come from. */
  readonly source?: TracedVertex
}

/** A step, or an earlier version of it, in the build that had it. */
export interface Version {
  readonly vertex: TracedVertex
  readonly trace: Pick<Trace, 'vertices'>
  /** That of its key. */
  readonly document: Json
  readonly layer: LayerId | undefined
}

/** Gives the record of a key, whether or not its layer is there. */
export type RecordOf = (key: CacheKey) => Pick<CacheRecord, 'preimage' | 'layer'> | undefined

/** In which what a step is done on and with differs from that of an earlier version. */
export function inputDifferences(
  from: Version,
  to: Version,
  recordOf: RecordOf,
): readonly FoundDifference[] {
  const roots = differsIn('root', from, to) ? [rootDifference(from, to, recordOf)] : []
  if (!differsIn('input', from, to)) return roots
  const inputs = to.vertex.op === 'exec' ? mountedFiles(from, to, recordOf) : copiedFiles(from, to)
  return [...inputs, ...roots]
}

/** Where a step stands. */
export function placeOf({ name, lines: [line] }: TracedVertex): StepPlace {
  return { name, line }
}

/** The step below is another one, or ran anew. */
export function belowDifference(below: TracedVertex): FoundDifference {
  return { what: 'below', change: 'changed', ...fromStep(below) }
}

function differsIn(member: string, from: Version, to: Version): boolean {
  const [before, after] = [memberOf(from.document, member), memberOf(to.document, member)]
  return canonicalJson(before ?? null) !== canonicalJson(after ?? null)
}

/** The base image is another one, or the step below is, or the files of the context that is the base. */
function rootDifference(from: Version, to: Version, recordOf: RecordOf): FoundDifference {
  let [before, after] = [vertexOf(from, from.vertex.root), vertexOf(to, to.vertex.root)]
  // A linked copy is the same on everything, so what it lies on is another one.
  while (after?.under !== undefined && after.key === before?.key) {
    before = vertexOf(from, before?.under)
    after = vertexOf(to, after.under)
  }
  if (before?.internal === true && after?.internal === true) {
    return { what: 'base', change: 'changed', layers: layersOf(before, after, recordOf) }
  }
  if (after !== undefined && isStep(after)) return belowDifference(after)
  return namedDifference('base', before, after)
}

function namedDifference(
  what: string,
  before: TracedVertex | undefined,
  after: TracedVertex | undefined,
): Difference {
  return toDifference(
    { from: before && imageName(before), to: after && imageName(after) },
    { what },
  )
}

/** The image of a FROM; what is none as it is called. */
function imageName({ op, name }: TracedVertex): string {
  return op === 'image' ? name.replace(/^(?:\[[^\]]*\] )?FROM /, '') : name
}

/** Files that the step copies: its own layers show which. */
function copiedFiles(from: Version, to: Version): readonly FoundDifference[] {
  const images: Difference[] = []
  let source: TracedVertex | undefined
  for (const { before, after } of changedSources(from, to)) {
    if (after.op === 'image') images.push(namedDifference('image of the files', before, after))
    else if (isStep(after)) source ??= after
  }
  const { document, vertex } = to
  const layers = { from: from.layer, to: to.layer, document, path: vertex.path }
  return [...images, { what: 'files', change: 'changed', ...fromStep(source), layers }]
}

function fromStep(source: TracedVertex | undefined): Pick<FoundDifference, 'source' | 'step'> {
  return source === undefined ? {} : { source, step: { ...placeOf(source), ran: hasRun(source) } }
}

/** Files that the mounts of a step show. */
function mountedFiles(from: Version, to: Version, recordOf: RecordOf): readonly FoundDifference[] {
  const mounts = listOf(memberOf(to.document, 'mounts'))
  const found = changedSources(from, to).map(({ before, after, index }): FoundDifference => {
    const mount = mounts.find((one) => memberOf(one, 'source') === index)
    const name = textOf(memberOf(mount, 'target'))
    if (after.op === 'image') {
      return { ...namedDifference('image of the mount', before, after), name }
    }
    if (isStep(after)) {
      const files = { unknown: 'a step made them' }
      return { what: 'files', name, change: 'changed', ...fromStep(after), files }
    }
    return { what: 'files', name, change: 'changed', layers: layersOf(before, after, recordOf) }
  })
  if (found.length > 0) return found
  return [
    { what: 'files', change: 'changed', files: { unknown: 'no source of a mount is another one' } },
  ]
}

/** The layers of what copies files for a step, and is no step itself. */
function layersOf(
  before: TracedVertex | undefined,
  after: TracedVertex,
  recordOf: RecordOf,
): ComparedLayers {
  const [old, now] = [before?.key, after.key].map((key) => key && recordOf(key))
  const document = now?.preimage ?? null
  return { from: old?.layer, to: now?.layer, document, path: after.path }
}

/** The sources whose results are others than those of the earlier version. */
function changedSources(from: Version, to: Version): readonly ChangedSource[] {
  const sources = to.vertex.sources ?? []
  return sources.flatMap((id, index) => {
    const before = vertexOf(from, from.vertex.sources?.[index] ?? undefined)
    const after = vertexOf(to, id ?? undefined)
    return after === undefined || after.key === before?.key ? [] : [{ before, after, index }]
  })
}

interface ChangedSource {
  readonly before: TracedVertex | undefined
  readonly after: TracedVertex
  /** Among the sources of the step. */
  readonly index: number
}

function vertexOf({ trace }: Version, id: string | undefined): TracedVertex | undefined {
  return id === undefined ? undefined : trace.vertices.find((vertex) => vertex.id === id)
}
