import { layoutOf } from '../filesystem/layout.ts'
import { checkDatabase } from './check-database.ts'
import { checkDeadProcesses } from './dead-processes.ts'
import type { Finding } from './finding.ts'
import { checkFiles, requireStore } from './store-files.ts'

/** What is wrong with a store that is not open yet. */
export interface ClosedStoreFindings {
  readonly files: readonly Finding[]
  readonly leftovers: readonly Finding[]
  readonly database: readonly Finding[]
}

/**
 * Looks at the folders, the small files and the database of a store, and at what killed processes left. Changes
 * nothing.
 * @throws {TsbuildError} NOT_FOUND where there is no store, STORE_INVALID for another user's
 */
export function checkClosedStore(root: string): ClosedStoreFindings {
  const layout = layoutOf(root)
  requireStore(layout)
  return {
    files: checkFiles(layout),
    leftovers: checkDeadProcesses(layout),
    database: checkDatabase(layout),
  }
}
