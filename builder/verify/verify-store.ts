import { availableParallelism } from 'node:os'
import { workPool } from '#builder/solve'
import {
  auditStore,
  checkClosedStore,
  checkIndex,
  checkLeftovers,
  checkLost,
  checkRows,
  type Finding,
  openStore,
  type Store,
} from '#cache'
import { type Digest, TsbuildError, typedFailure } from '#core'
import { checkBlobs } from './check-blobs.ts'
import { checkLayers } from './check-layers.ts'
import { KnownStacks } from './known-stacks.ts'
import { NeededBlobs } from './needed-blobs.ts'
import { type Checked, Report, type Verification } from './report.ts'

/** How a store is verified. */
export interface VerifyOptions {
  readonly root: string
  /** Default: what is found is reported, and nothing is changed. */
  readonly repair?: boolean
  /** Files that are read at a time. Default: the number of processors. */
  readonly threads?: number
  /** Gets the bytes that have been read so far. */
  readonly onProgress?: (bytes: number) => void
  readonly signal?: AbortSignal
}

/**
 * Checks everything that a store says of what it has. Builds may go on meanwhile: what one of them changes or
 * removes while it is looked at is no finding, and what a repair sets aside stays readable for a step that
 * uses it.
 * @throws {TsbuildError} NOT_FOUND where there is no store, STORE_INVALID, CANCELLED
 */
export async function verifyStore(options: VerifyOptions): Promise<Verification> {
  try {
    return await verify(options)
  } catch (cause) {
    throw typedFailure('verify the store', cause)
  }
}

async function verify(options: VerifyOptions): Promise<Verification> {
  const { root, repair = false } = options
  const closed = checkClosedStore(root)
  const report = new Report(repair)
  await report.add([...closed.files, ...closed.leftovers])
  if (!repair && closed.database.length > 0) {
    // Opening the store puts an empty database in the place of a damaged one.
    await report.add(closed.database)
    return report.end(root, NOTHING)
  }
  await using store = openAfter(closed.files, root)
  if (store === undefined) return report.end(root, NOTHING)
  await report.add(closed.database.map((one) => ({ ...one, repair: () => store.checkDatabase() })))
  const checked = await verifyOpen(store, report, options)
  if (repair) await store.sync()
  return report.end(store.root, checked)
}

const NOTHING: Checked = { names: 0, blobs: 0, bytes: 0, layers: 0, unproven: 0, elsewhere: 0 }

/** `undefined` when what was found keeps the store from being opened. */
function openAfter(findings: readonly Finding[], root: string): Store | undefined {
  try {
    return openStore(root)
  } catch (cause) {
    if (findings.length > 0 && cause instanceof TsbuildError) return undefined
    throw cause
  }
}

async function verifyOpen(
  store: Store,
  report: Report,
  { threads = availableParallelism(), onProgress, signal }: VerifyOptions,
): Promise<Checked> {
  await using audit = auditStore(store)
  await using pool = workPool(threads)
  let bytes = 0
  const onBytes = (read: number): void => {
    bytes += read
    onProgress?.(bytes)
  }
  await report.add([...checkIndex(audit), ...checkRows(audit)])
  const needed = new NeededBlobs(store)
  const deps = { audit, pool, needed, stacks: new KnownStacks(audit, pool), onBytes, signal }
  await report.add(needed.findings)
  const blobs = await checkBlobs(deps)
  await report.add(blobs.findings)
  const { findings, proven, unproven } = await checkLayers(deps, blobs.damaged)
  await report.add(findings)
  await report.add(checkLost(audit))
  await report.add(checkLeftovers(audit))
  const names = store.images.list().length
  const isMissing = (digest: Digest): boolean => store.blobs.stat(digest) === undefined
  const elsewhere = [...needed.elsewhere].filter(isMissing).length
  return { names, blobs: blobs.count, bytes, layers: proven, unproven, elsewhere }
}
