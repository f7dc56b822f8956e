import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Writes a build context: file contents by relative path. A path that ends in `/` is a directory. */
export function writeContext(
  directory: string,
  files: Readonly<Record<string, string | Buffer>>,
): string {
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name)
    mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true })
    if (name.endsWith('/')) continue
    writeFileSync(path, content)
    chmodSync(path, 0o644)
  }
  return directory
}
