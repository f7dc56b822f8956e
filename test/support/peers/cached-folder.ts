import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** What tests make once and use again; it outlives the test run. */
const CACHE = '/var/cache/tsbuild-test'

/**
 * A folder of the cache, under a name that is a digest of all that it is made from.
 * @param make fills the path that it is given, where nothing is yet
 */
export async function cachedFolder(
  key: readonly unknown[],
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const name = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 32)
  const folder = join(CACHE, name)
  if (existsSync(folder)) return folder
  mkdirSync(CACHE, { recursive: true })
  const made = `${folder}.${process.pid}`
  try {
    await make(made)
    renameSync(made, folder)
  } catch (error) {
    rmSync(made, { recursive: true, force: true })
    // Another run was faster; its folder is as good.
    if (!existsSync(folder)) throw error
  }
  return folder
}
