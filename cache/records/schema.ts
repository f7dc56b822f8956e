import { digestOf, hexOf } from '#core'

/**
 * A database of another version is set aside. A change that raises it raises the store's version as
 * well, so that an older tsbuild refuses the store: see layout.ts
 */
export const SCHEMA_VERSION = 1

/** The digest that the folder of a layer had when it was last made of its blob. */
const SEALS = `CREATE TABLE IF NOT EXISTS seals (
  id TEXT PRIMARY KEY, digest TEXT NOT NULL, sum TEXT NOT NULL) WITHOUT ROWID`

/**
 * Layers with files whose owners are presumed, by diffID: the tar was made where there is one user id
 * only.
 */
const PRESUMED = `CREATE TABLE IF NOT EXISTS presumed (
  diff_id TEXT PRIMARY KEY, files TEXT NOT NULL, sum TEXT NOT NULL) WITHOUT ROWID`

/** The keys of the results that a step was done on: a JSON array. */
const INPUTS = `CREATE TABLE IF NOT EXISTS inputs (
  key TEXT PRIMARY KEY, inputs TEXT NOT NULL, sum TEXT NOT NULL) WITHOUT ROWID`

/**
 * Earlier ids of layers that were named by their content later. The folder of a layer keeps the name
 * that it was made with, since mounts use it: `holds` has the bits of the kinds of folders for which
 * `name` is the folder of layer `id`.
 */
const RENAMED = `CREATE TABLE IF NOT EXISTS renamed (
  name TEXT PRIMARY KEY, id TEXT NOT NULL, holds INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS renamed_id ON renamed (id)`

/**
 * Folders of layers that steps in place can reach, by their path in the store: nothing in them was changed
 * later than `until`, milliseconds by the clock of their file system.
 */
const SETTLED = `CREATE TABLE IF NOT EXISTS settled (
  folder TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID`

/** Layers whose folders have only what differs from the folder of layer `base`. */
const DIFFERENCES = `CREATE TABLE IF NOT EXISTS differences (
  id TEXT PRIMARY KEY, base TEXT NOT NULL, sum TEXT NOT NULL) WITHOUT ROWID`

/**
 * How a record was made: how long the step took, and the record of the last RUN below it, which must not go
 * before it does: see docs/adr/0049
 */
const MADE = `CREATE TABLE IF NOT EXISTS made (
  key TEXT PRIMARY KEY, milliseconds INTEGER NOT NULL, below TEXT) WITHOUT ROWID`

/**
 * What folders take on the disk, by their path in the store, as it was measured last. Without a checksum: it
 * decides nothing but when there is a look at everything.
 */
const SIZES = `CREATE TABLE IF NOT EXISTS sizes (
  path TEXT PRIMARY KEY, bytes INTEGER NOT NULL, measured INTEGER NOT NULL) WITHOUT ROWID`

/**
 * What the latest builds that executed a step did, so that a later question can be answered: a JSON
 * document for each of them. `created` is in milliseconds since the epoch.
 */
const TRACES = `CREATE TABLE IF NOT EXISTS traces (
  id INTEGER PRIMARY KEY, context TEXT NOT NULL, dockerfile TEXT NOT NULL, created INTEGER NOT NULL,
  document TEXT NOT NULL, sum TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS traces_place ON traces (context, dockerfile)`

/**
 * Repositories of registries in which blobs were seen, by the order in which that was, and the time in
 * milliseconds since the epoch. Without a checksum: what is wrong costs a request.
 */
const REPOSITORIES = `CREATE TABLE IF NOT EXISTS repositories (
  id INTEGER PRIMARY KEY, digest TEXT NOT NULL, registry TEXT NOT NULL, repository TEXT NOT NULL,
  seen INTEGER NOT NULL, UNIQUE (digest, registry, repository))`

/** What layers were packed to here, by how they were packed. Without a checksum: a wrong one is as good as any other blob. */
const PACKINGS = `CREATE TABLE IF NOT EXISTS packings (
  diff_id TEXT NOT NULL, packing TEXT NOT NULL, digest TEXT NOT NULL,
  PRIMARY KEY (diff_id, packing)) WITHOUT ROWID`

/** What descriptors of layers say that were packed here to be read in parts: a JSON document, which may be empty. */
const ANNOTATIONS = `CREATE TABLE IF NOT EXISTS annotations (
  diff_id TEXT NOT NULL, digest TEXT NOT NULL, document TEXT NOT NULL, sum TEXT NOT NULL,
  PRIMARY KEY (diff_id, digest)) WITHOUT ROWID`

/**
 * Tables that were added to version 1: a database made before gets them when it is opened and keeps its
 * records. An older tsbuild on the same store does not follow `renamed`: it drops the records of such
 * layers, so these steps run again, and its recovery after a reboot removes their folders.
 */
export const LATER_TABLES: string = [
  ...[SEALS, PRESUMED, INPUTS, RENAMED, SETTLED, DIFFERENCES, MADE, SIZES, TRACES, REPOSITORIES],
  ...[PACKINGS, ANNOTATIONS],
].join('; ')

/**
 * `directory` has the bits of the kinds of folders that a layer has: see folder-kind.ts
 * `sum` is a checksum over the row: SQLite does not notice a bit that flips inside a value.
 * `boot` of a layer is the boot whose page cache holds its files; NULL once they are on the disk.
 * `state` has the last `index.json` that was written here, and when the database was last synced.
 * Times are milliseconds since the epoch.
 */
export const SCHEMA: string = `
CREATE TABLE records (
  key TEXT PRIMARY KEY, family TEXT NOT NULL, layer TEXT, description TEXT NOT NULL,
  preimage TEXT NOT NULL, created INTEGER NOT NULL, used INTEGER NOT NULL, sum TEXT NOT NULL);
CREATE INDEX records_family ON records (family);
CREATE TABLE aliases (alias TEXT PRIMARY KEY, key TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE layers (
  id TEXT PRIMARY KEY, diff_id TEXT, size INTEGER, directory INTEGER NOT NULL,
  boot TEXT, sum TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX layers_diff_id ON layers (diff_id) WHERE diff_id IS NOT NULL;
CREATE INDEX layers_boot ON layers (boot) WHERE boot IS NOT NULL;
CREATE TABLE compressed (
  diff_id TEXT NOT NULL, digest TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL,
  sum TEXT NOT NULL, PRIMARY KEY (diff_id, digest)) WITHOUT ROWID;
CREATE TABLE leases (
  key TEXT PRIMARY KEY, holder TEXT NOT NULL, token INTEGER NOT NULL, pid INTEGER NOT NULL
) WITHOUT ROWID;
${LATER_TABLES};
CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`

/** The rows of a build's layers, each of which it asks for several times. */
const MOST_SUMS = 1000
const SHORT_ROW = 300
const sums = new Map<string, string>()

/** The checksum of a row: of its values in a fixed order. */
export function sumOf(...values: readonly (string | number | null)[]): string {
  const text = JSON.stringify(values)
  const known = sums.get(text)
  if (known !== undefined) return known
  const sum = Buffer.from(hexOf(digestOf(text)), 'hex').toString('base64url', 0, 12)
  if (sums.size >= MOST_SUMS) sums.clear()
  if (text.length <= SHORT_ROW) sums.set(text, sum)
  return sum
}
