/** Lists whose order docker does not fix. */
const UNORDERED =
  /\.(Mounts|Ports|RepoTags|RepoDigests|Aliases|DNSNames|InsecureRegistryCIDRs|Plugins\.\w+)$/
/** Numbers that differ between two runs of the same. */
const VOLATILE =
  /\.(Pid|Created|time|timeNano|Size|VirtualSize|SizeRootFs|SharedSize|LayersSize|MemTotal|NFd|NGoroutines|mtime)$/

/**
 * The output of a command as lines to compare. A document, or a document on each line, becomes a line for each
 * value, `path = value`, sorted: documents are compared field by field.
 */
export function linesOf(output: string): readonly string[] {
  const text = output.trimEnd()
  if (text === '') return []
  const whole = parse(text)
  if (whole !== undefined) return flatten(whole)
  const lines = text.split('\n')
  const documents = lines.map(parse)
  if (documents.includes(undefined)) return lines
  return documents.flatMap((document, index) =>
    flatten(document).map((line) => `${index + 1}: ${line}`),
  )
}

/** Only objects and lists are documents: `true` and `3` are text as well. */
function parse(text: string): unknown {
  if (!/^[[{]/.test(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A line for each value of a document, sorted by path. */
export function flatten(document: unknown): readonly string[] {
  return [...valuesOf(document, '')].map(([path, value]) => `${path} = ${value}`).sort()
}

function* valuesOf(value: unknown, path: string): Generator<readonly [string, string]> {
  if (Array.isArray(value) && value.length > 0) {
    const items = UNORDERED.test(path) ? value.toSorted(byText) : value
    for (const [index, item] of items.entries()) yield* valuesOf(item, `${path}[${index}]`)
    return
  }
  if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
    for (const [key, item] of Object.entries(value)) yield* valuesOf(item, `${path}.${key}`)
    return
  }
  if (typeof value === 'string' && path.endsWith('.Mounts')) {
    // The same list in a line of `docker ps`.
    yield [path, JSON.stringify(value.split(',').sort().join(','))]
    return
  }
  const isVolatile = typeof value === 'number' && value > 0 && VOLATILE.test(path)
  yield [path, isVolatile ? '<number>' : JSON.stringify(value)]
}

/** Ids differ between two runs: they are first. */
function byText(a: unknown, b: unknown): number {
  const [one = '', other = ''] = [a, b].map((value) =>
    JSON.stringify(value).replaceAll(/\b[0-9a-f]{12,64}\b/g, ''),
  )
  return one < other ? -1 : one > other ? 1 : 0
}
