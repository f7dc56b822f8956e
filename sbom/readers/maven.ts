import { checkpoint, type Name, textOfName } from '#core'
import { lineOf, type Package } from '../package/package.ts'
import { packageUrl } from '../package/package-url.ts'
import type { ReadDeps } from './read-deps.ts'
import { linesOf } from './stanzas.ts'
import { type Extent, zipEntries } from './zip-entries.ts'

const JAR = /\.(?:jar|war|ear|par)$/i
const PROPERTIES = /^META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/
const MAX_PROPERTIES = 64 * 1024
/** Of an archive in another one, which is held in memory. */
const MAX_NESTED = 128 << 20
/** A jar in a war in an ear. */
const MOST_DEPTH = 3

/** Whether a file is an archive of Java. */
export function isJar(path: string): boolean {
  return JAR.test(path)
}

/** The artifacts that an archive was made of, and those of the archives in it. Spec: Maven archiver, pom.properties */
export function* jarPackages(path: Name, { files }: ReadDeps): Generator<Package> {
  const size = files.tree.lstat(path)?.size ?? 0
  // Read at once: what is listed of a file is listed after it is closed.
  const found = files.opened(path, (read) => [...packagesIn({ size, read }, textOfName(path), 1)])
  yield* found
}

function* packagesIn(archive: Extent, source: string, depth: number): Generator<Package> {
  for (const { name, bytes } of zipEntries(archive)) {
    checkpoint()
    if (PROPERTIES.test(name)) {
      const one = artifactOf(bytes(MAX_PROPERTIES).toString('latin1'), source)
      if (one !== undefined) yield one
    } else if (JAR.test(name) && depth < MOST_DEPTH) {
      const nested = bytes(MAX_NESTED)
      const read: Extent['read'] = (start, length) => nested.subarray(start, start + length)
      yield* packagesIn({ size: nested.length, read }, `${source}!/${name}`, depth + 1)
    }
  }
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
