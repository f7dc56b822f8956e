import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { checkpoint } from '#core'
import { lineOf, type Package } from '../package/package.ts'
import { packageUrl } from '../package/package-url.ts'
import type { ReadDeps } from './read-deps.ts'
import { type RpmHeader, rpmHeader } from './rpm-header.ts'

/** Where one is a link to the other, both are one. */
const FOLDERS = ['usr/lib/sysimage/rpm', 'var/lib/rpm']
const SQLITE = 'rpmdb.sqlite'
/** What is written since is beside the database, until it is merged into it. */
const LOG = `${SQLITE}-wal`
/** Databases of rpm before 4.16, which nothing else reads. */
const OLDER = ['Packages', 'Packages.db']
const MAX_DATABASE = 512 << 20
/** As rpm makes it. A hostile one could compute for ever. */
const TABLE =
  /^CREATE TABLE '?Packages'? \(\s*hnum INTEGER PRIMARY KEY AUTOINCREMENT,\s*blob BLOB NOT NULL\s*\)$/i
/** Keys that signatures are checked with are listed as packages. */
const KEY = 'gpg-pubkey'

/** Packages that rpm has installed. */
export function* rpmPackages(deps: ReadDeps): Generator<Package> {
  const { files, onProblem } = deps
  const read = new Set<string>()
  for (const folder of FOLDERS) {
    const found = files.find(`${folder}/${SQLITE}`)
    if (found !== undefined && !read.has(found)) {
      read.add(found)
      yield* guarded(`${folder}/${SQLITE}`, deps)
    }
    if (found !== undefined) continue
    const older = OLDER.find((name) => files.find(`${folder}/${name}`) !== undefined)
    if (older !== undefined)
      onProblem(`/${folder}/${older} is a database of rpm before 4.16, and not read`)
  }
}

function* guarded(path: string, deps: ReadDeps): Generator<Package> {
  try {
    yield* packagesIn(path, deps)
  } catch (cause) {
    if (!isDatabaseError(cause)) throw cause
    deps.onProblem(`/${path} is not a sound database: ${cause.message}`)
  }
}

function isDatabaseError(cause: unknown): cause is Error {
  return cause instanceof Error && 'code' in cause && cause.code === 'ERR_SQLITE_ERROR'
}

/** The database is copied, since SQLite opens files by their paths and writes beside them. */
function* packagesIn(path: string, deps: ReadDeps): Generator<Package> {
  const { files, scratch, onProblem } = deps
  const folder = mkdtempSync(join(scratch, 'rpm-'))
  for (const name of [SQLITE, LOG]) {
    const from = `${path.slice(0, -SQLITE.length)}${name}`
    const bytes = files.bytes(from, MAX_DATABASE)
    if (bytes !== undefined) writeFileSync(join(folder, name), bytes)
    else if (name === SQLITE) return onProblem(`/${path} is too long to be read`)
  }
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
  const database = new DatabaseSync(join(folder, SQLITE), {
    enableDoubleQuotedStringLiterals: false,
  })
  try {
    if (!hasTable(database)) return onProblem(`/${path} is not a database of rpm`)
    for (const { blob } of database.prepare('SELECT blob FROM Packages').iterate()) {
      checkpoint()
      if (!(blob instanceof Uint8Array)) continue
      const one = packageOf(rpmHeader(Buffer.from(blob)), path, deps)
      if (one !== undefined) yield one
    }
  } finally {
    database.close()
  }
}

function hasTable(database: DatabaseSync): boolean {
  const query = "SELECT type, sql FROM sqlite_schema WHERE name = 'Packages'"
  const rows = database.prepare(query).all()
  const [row] = rows
  return rows.length === 1 && row?.type === 'table' && TABLE.test(String(row.sql))
}

function packageOf(
  header: RpmHeader,
  source: string,
  { distro, distribution }: ReadDeps,
): Package | undefined {
  const [name, short, release] = [header.name, header.version, header.release].map(lineOf)
  if (name === undefined || short === undefined || release === undefined || name === KEY) {
    return undefined
  }
  const version = `${short}-${release}`
  const epoch = header.epoch ? String(header.epoch) : undefined
  const qualifiers = { arch: lineOf(header.arch), distro, epoch, upstream: lineOf(header.source) }
  return {
    type: 'rpm',
    name,
    version: epoch === undefined ? version : `${epoch}:${version}`,
    url: packageUrl('rpm', { namespace: distribution?.id ?? 'rpm', name, version, qualifiers }),
    license: lineOf(header.license),
    supplier: lineOf(header.vendor),
    source,
  }
}
