import { isJsonObject, type Json, type JsonObject, type Name, textOfName } from '#core'
import { lineOf, type Package } from '../package/package.ts'
import { packageUrl } from '../package/package-url.ts'
import type { ReadDeps } from './read-deps.ts'

/** A folder of node_modules is a package by its package.json; a name with a dot is the manager's own. */
const INSTALLED = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^./@][^/]*\/package\.json$/
const LOCK = /(?:^|\/)package-lock\.json$/
const MAX_PACKAGE = 4 << 20
const MAX_LOCK = 64 << 20

/** Whether a file describes packages of npm. */
export function isNpmFile(path: string): boolean {
  return INSTALLED.test(path) || LOCK.test(path)
}

/**
 * The package that is installed in a folder of node_modules; or those that a lock file names, where they
 * are not installed beside it: they are a part of what was bundled with it.
 */
export function* npmPackages(path: Name, deps: ReadDeps): Generator<Package> {
  const text = textOfName(path)
  if (!LOCK.test(text)) yield* installed(path, deps)
  else if (!text.includes('node_modules/')) yield* locked(path, deps)
}

function* installed(path: Name, { files }: ReadDeps): Generator<Package> {
  const document = readJson(files.read(path, MAX_PACKAGE))
  const one = packageOf(document, lineOf(document.name), path)
  if (one !== undefined) yield one
}

function* locked(path: Name, { files }: ReadDeps): Generator<Package> {
  const folder = path.slice(0, -'package-lock.json'.length)
  if (files.tree.lstat(`${folder}node_modules` as Name) !== undefined) return
  const { packages } = readJson(files.read(path, MAX_LOCK))
  if (!isJsonObject(packages)) return
  for (const [place, entry] of Object.entries(packages)) {
    const at = place.lastIndexOf('node_modules/')
    if (at < 0 || !isJsonObject(entry) || entry.link === true || entry.dev === true) continue
    const name = lineOf(entry.name) ?? lineOf(place.slice(at + 'node_modules/'.length))
    const one = packageOf(entry, name, path)
    if (one !== undefined) yield one
  }
}

function packageOf(
  document: JsonObject,
  name: string | undefined,
  path: Name,
): Package | undefined {
  const version = lineOf(document.version)
  if (name === undefined || version === undefined) return undefined
  const [last = '', scope] = name.split('/').reverse()
  const url = packageUrl('npm', { namespace: scope, name: last, version })
  const source = textOfName(path)
  return { type: 'npm', name, version, url, license: licenseOf(document), source }
}

/** A text, or in old packages an object or a list of them. */
function licenseOf({ license, licenses }: JsonObject): string | undefined {
  const given = license ?? (Array.isArray(licenses) ? (licenses[0] as Json) : licenses)
  return lineOf(isJsonObject(given) ? given.type : given)
}

function readJson(bytes: Buffer | undefined): JsonObject {
  if (bytes === undefined) throw new Error('it is too long')
  const document = JSON.parse(bytes.toString('utf8').replace(/^\uFEFF/, '')) as Json
  return isJsonObject(document) ? document : {}
}
