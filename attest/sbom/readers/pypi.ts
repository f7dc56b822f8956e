import { type Name, textOfName } from '#core'
import { lineOf, type Package } from '../package/package.ts'
import { packageUrl } from '../package/package-url.ts'
import type { ReadDeps } from './read-deps.ts'
import { stanzasOf } from './stanzas.ts'

const METADATA = /(?:^|\/)(?:[^/]+\.dist-info\/METADATA|[^/]+\.egg-info(?:\/PKG-INFO)?)$/
const MAX_METADATA = 8 << 20

/** Whether a file describes a package of Python. */
export function isPypiFile(path: string): boolean {
  return METADATA.test(path)
}

/** The package that a file of metadata is about. Spec: PyPA core metadata, recording installed projects */
export function* pypiPackages(path: Name, { files }: ReadDeps): Generator<Package> {
  const text = files.read(path, MAX_METADATA)?.toString('utf8')
  if (text === undefined) throw new Error('it is too long')
  const [fields] = stanzasOf(text)
  const name = lineOf(fields?.get('name'))
  const version = lineOf(fields?.get('version'))
  if (fields === undefined || name === undefined || version === undefined) return
  // Spec: PEP 503, normalized names, of which purl-spec keeps dots.
  const url = packageUrl('pypi', { name: name.toLowerCase().replaceAll('_', '-'), version })
  const license = lineOf(fields.get('license-expression')) ?? lineOf(fields.get('license'))
  const supplier = lineOf(fields.get('author-email')) ?? lineOf(fields.get('author'))
  yield { type: 'pypi', name, version, url, license, supplier, source: textOfName(path) }
}
