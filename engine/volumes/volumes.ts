import type { Json, JsonObject } from '#core'
import { firstFailure, TsbuildError } from '#core'
import {
  booleanFilter,
  type Filters,
  matchesAny,
  matchesLabels,
  nameFilter,
  newId,
  now,
} from '#engine/model'
import type { Documents, NewEvent } from '#engine/state'
import { MemoryVolumes } from './memory-volumes.ts'
import { checkVolumeName } from './options/volume-name.ts'
import { type VolumeSource, volumeSource } from './options/volume-source.ts'
import { VolumeFolders } from './volume-folders.ts'
import { ANONYMOUS, isAnonymous, type VolumeRecord } from './volume-record.ts'

/** What volumes are kept with. */
export interface VolumesDeps {
  readonly documents: Documents<VolumeRecord>
  /** The folder of their files; made when needed. */
  readonly folder: string
  readonly emit: (event: NewEvent) => void
  /** Ids of the containers that have a volume mounted, running or not. */
  readonly usersOf: (name: string) => readonly string[]
  /** Bytes of files in directories. */
  readonly measure: (directories: readonly string[]) => Promise<readonly number[]>
}

/** What a new volume is like. */
export interface VolumeRequest {
  /** Absent or empty: a random one. */
  readonly name?: string | undefined
  /** Absent or empty: `local`, the only one. */
  readonly driver?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly options?: Readonly<Record<string, string>> | undefined
}

/** What was removed. */
export interface PrunedVolumes {
  readonly names: readonly string[]
  /** Bytes. */
  readonly reclaimed: number
}

/** All volumes of an engine. */
export class Volumes {
  readonly folders: VolumeFolders
  readonly #deps: VolumesDeps
  /** Containers that are being made with a volume, by its name. */
  readonly #claims = new Map<string, Set<string>>()

  constructor(deps: VolumesDeps) {
    this.#deps = deps
    this.folders = new VolumeFolders(deps.folder)
  }

  /**
   * To be called before anything else: removes what was left half done and mounted, and knows again what has files and
   * no record, as docker does.
   */
  async restore(): Promise<void> {
    const { documents } = this.#deps
    MemoryVolumes.clear(this.folders.root)
    const isKnown = (name: string): boolean => documents.get(name) !== undefined
    for (const name of await this.folders.sweep(isKnown)) {
      documents.put({ id: name, created: now() })
    }
    // A file system that was replaced may lack folders of volumes that are known.
    for (const { id } of documents.all()) this.folders.make(id)
  }

  all(): readonly VolumeRecord[] {
    return this.#deps.documents.all().toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }

  /** @throws {TsbuildError} NOT_FOUND */
  find(name: string): VolumeRecord {
    const record = this.#deps.documents.get(name)
    if (record !== undefined) return record
    throw new TsbuildError(`get ${name}: no such volume`, { code: 'NOT_FOUND' })
  }

  /**
   * One that is there already is what was asked for, whatever else the request says.
   * @throws {TsbuildError} USAGE, NOT_FOUND for a driver that is not known, UNSUPPORTED, NO_SPACE
   */
  create({ name = '', driver = '', labels, options }: VolumeRequest): VolumeRecord {
    const id = name === '' ? newId() : name
    if (driver !== '' && driver !== 'local') throw driverError(id, driver)
    const known = this.#deps.documents.get(id)
    if (known !== undefined) return known
    checkVolumeName(id)
    checkSource(id, options)
    const marks = name === '' ? { [ANONYMOUS]: '' } : undefined
    const record: VolumeRecord = {
      ...{ id, created: now() },
      labels: marks === undefined ? labels : { ...labels, ...marks },
      options,
    }
    this.folders.make(id)
    this.#deps.documents.put(record)
    this.#deps.emit({ Type: 'volume', Action: 'create', id, attributes: { driver: 'local' } })
    return record
  }

  /** Keeps a volume from being removed until a container that is being made with it is known, or given up. */
  claim(name: string, container: string): Disposable {
    const claims = this.#claims.get(name) ?? new Set()
    this.#claims.set(name, claims.add(container))
    return {
      [Symbol.dispose]: () => {
        claims.delete(container)
        if (claims.size === 0) this.#claims.delete(name)
      },
    }
  }

  /** Ids of containers that have it, or are being made with it. */
  usersOf(name: string): readonly string[] {
    return [...new Set([...this.#deps.usersOf(name), ...(this.#claims.get(name) ?? [])])]
  }

  /**
   * Those that fit filters as `GET /volumes` has them, by name.
   * @throws {TsbuildError} USAGE
   */
  list(filters: Filters): readonly VolumeRecord[] {
    const isDangling = booleanFilter(filters, 'dangling')
    const isNamed = nameFilter(filters)
    return this.all().filter(
      (record) =>
        (isDangling === undefined || isDangling === (this.usersOf(record.id).length === 0)) &&
        isNamed(record.id) &&
        matchesAny(filters, 'driver', (wanted) => wanted === 'local') &&
        matchesLabels(filters, record.labels),
    )
  }

  /** As the API shows it. */
  describe({ id, created, labels, options }: VolumeRecord): JsonObject {
    return {
      CreatedAt: created.replace(/\.\d+Z$/, 'Z'),
      Driver: 'local',
      Labels: labels === undefined ? null : { ...labels },
      Mountpoint: this.folders.data(id),
      Name: id,
      Options: options === undefined ? null : { ...options },
      Scope: 'local',
    }
  }

  /** The same with how many containers have it, and what it takes. */
  async describeUsage(records: readonly VolumeRecord[]): Promise<readonly Json[]> {
    const sizes = await this.#sizesOf(records)
    return records.map((record, index) => {
      const UsageData = { RefCount: this.usersOf(record.id).length, Size: sizes[index] ?? 0 }
      return { ...this.describe(record), UsageData }
    })
  }

  /**
   * @param force one that is not there counts as removed
   * @throws {TsbuildError} NOT_FOUND, CONFLICT while containers have it
   */
  async remove(name: string, { force }: { readonly force: boolean }): Promise<void> {
    if (force && this.#deps.documents.get(name) === undefined) return
    const { id } = this.find(name)
    const users = this.usersOf(id)
    if (users.length > 0) {
      throw new TsbuildError(`remove ${id}: volume is in use - [${users.join(', ')}]`, {
        code: 'CONFLICT',
      })
    }
    await this.#discard(id)
  }

  /**
   * Removes what no container has: volumes that nobody has named, or all of them. Those with options stay, as with
   * docker: their files may be elsewhere.
   * @param filters `label` and `label!`
   */
  async prune(filters: Filters, { kinds }: PruneOptions): Promise<PrunedVolumes> {
    const unused = (): readonly VolumeRecord[] =>
      this.all().filter(
        (record) =>
          (kinds === 'all' || isAnonymous(record)) &&
          Object.keys(record.options ?? {}).length === 0 &&
          matchesLabels(filters, record.labels) &&
          this.usersOf(record.id).length === 0,
      )
    const found = unused()
    const sizes = await this.#sizesOf(found)
    // A container may have come meanwhile.
    const still = new Set(unused())
    const removed = found.filter((record) => still.has(record))
    for (const { id } of removed) await this.#discard(id)
    const sizeOf = new Map(found.map((record, index) => [record, sizes[index] ?? 0]))
    const reclaimed = removed.reduce((sum, record) => sum + (sizeOf.get(record) ?? 0), 0)
    return { names: removed.map(({ id }) => id), reclaimed }
  }

  /** The record first: what is known has its files. */
  async #discard(id: string): Promise<void> {
    if (this.usersOf(id).length > 0) return
    this.#deps.documents.delete(id)
    this.#deps.emit({ Type: 'volume', Action: 'destroy', id, attributes: { driver: 'local' } })
    await this.folders.remove(id)
  }

  async #sizesOf(records: readonly VolumeRecord[]): Promise<readonly number[]> {
    return await this.#deps.measure(records.map(({ id }) => this.folders.data(id)))
  }
}

/** Which volumes go: those that nobody has named, or all. */
export interface PruneOptions {
  readonly kinds: 'anonymous' | 'all'
}

/** What the options of a volume mean. They were checked when it was made. */
export function sourceOf({ options }: VolumeRecord): VolumeSource {
  return volumeSource(options)
}

function checkSource(id: string, options: VolumeRequest['options']): void {
  try {
    volumeSource(options)
  } catch (cause) {
    const failure = firstFailure(cause)
    if (!(failure instanceof TsbuildError)) throw cause
    const { code, hint, message } = failure
    throw new TsbuildError(`create ${id}: ${message}`, { code, hint })
  }
}

function driverError(id: string, driver: string): TsbuildError {
  const reason = `plugin "${driver}" not found`
  return new TsbuildError(`create ${id}: error looking up volume plugin ${driver}: ${reason}`, {
    code: 'NOT_FOUND',
  })
}
