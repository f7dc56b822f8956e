import { checkpoint, type Name, textOfName } from '#core'
import { lineOf, type Package } from '../package/package.ts'
import { packageUrl } from '../package/package-url.ts'
import { type ReadDeps, readable } from './read-deps.ts'
import { linesOf } from './stanzas.ts'
import { type Extent, type ZipEntry, zipEntries } from './zip-entries.ts'

const JAR = /\.(?:jar|war|ear|par)$/i
const PROPERTIES = /^META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/
const MAX_PROPERTIES = 64 * 1024
/** Of an archive in another one, which is held in memory. */
const MAX_NESTED = 128 << 20
/** Of all of them in one archive. */
const MAX_ALL_NESTED = 1024 << 20
/** A jar in a war in an ear. */
const MOST_DEPTH = 3

/** Whether a file is an archive of Java. */
export function isJar(path: string): boolean {
  return JAR.test(path)
}

/** The artifacts that an archive was made of, and those of the archives in it. Spec: Maven archiver, pom.properties */
export function* jarPackages(path: Name, { files, onProblem }: ReadDeps): Generator<Package> {
  const size = files.tree.lstat(path)?.size ?? 0
  const source = textOfName(path)
  const place = { source, depth: 1, budget: { left: MAX_ALL_NESTED }, onProblem }
  yield* files.opened(path, (read) => [...packagesIn({ size, read }, place)])
}

/** Where an archive is found. */
interface Place extends Pick<ReadDeps, 'onProblem'> {
  readonly source: string
  readonly depth: number
  /** Bytes of archives in it that may still be unpacked. */
  readonly budget: { left: number }
}

function* packagesIn(archive: Extent, place: Place): Generator<Package> {
  for (const entry of zipEntries(archive)) {
    checkpoint()
    const { source } = place
    if (PROPERTIES.test(entry.name)) yield* readable(source, artifactsIn(entry, place), place)
    else if (JAR.test(entry.name) && place.depth < MOST_DEPTH) {
      const inner = { ...place, source: `${source}!/${entry.name}`, depth: place.depth + 1 }
      yield* readable(inner.source, nestedIn(entry, inner), inner)
    }
  }
}

function* nestedIn({ bytes }: ZipEntry, place: Place): Generator<Package> {
  const nested = bytes(Math.min(MAX_NESTED, place.budget.left))
  place.budget.left -= nested.length
  const read: Extent['read'] = (start, length) => nested.subarray(start, start + length)
  yield* packagesIn({ size: nested.length, read }, place)
}

function* artifactsIn({ bytes }: ZipEntry, { source }: Place): Generator<Package> {
  const one = artifactOf(bytes(MAX_PROPERTIES).toString('latin1'), source)
  if (one !== undefined) yield one
}

function artifactOf(text: string, source: string): Package | undefined {
  const properties = new Map<string, string>()
  for (const line of linesOf(text)) {
    const [, key, value] = /^\s*(\w+)\s*[=:]\s*(.*)$/.exec(line) ?? []
    if (key !== undefined && value !== undefined) properties.set(key, value)
  }
  const [namespace, artifact, version] = ['groupId', 'artifactId', 'version'].map((key) =>
    lineOf(properties.get(key)),
  )
  if (namespace === undefined || artifact === undefined || version === undefined) return undefined
  const url = packageUrl('maven', { namespace, name: artifact, version })
  return { type: 'maven', name: `${namespace}:${artifact}`, version, url, source }
}
