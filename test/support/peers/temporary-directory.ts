import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory that is gone, with all that is in it, at the end of the scope that holds it. */
export interface TemporaryDirectory extends Disposable {
  readonly path: string
  /** The absolute path of a name in it. */
  file(name: string): string
}

/** @param mode permission bits, for a directory that others may enter */
export function temporaryDirectory(prefix: string, mode = 0o700): TemporaryDirectory {
  const path = mkdtempSync(join(tmpdir(), `tsbuild-${prefix}-`))
  chmodSync(path, mode)
  return {
    path,
    file: (name) => join(path, name),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }),
  }
}
