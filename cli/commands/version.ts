import { readFileSync } from 'node:fs'
import { readDocument, shapes } from '#core'
import { print, type Shell } from '../terminal/shell.ts'

/** The version in package.json. */
export function packageVersion(): string {
  const bytes = readFileSync(new URL('../../../package.json', import.meta.url))
  const shape = shapes.object({ version: shapes.string })
  const { version } = readDocument(bytes, shape, { what: 'package.json', code: 'IO_FAILED' })
  return version ?? 'unknown'
}

/** `tsbuild version` */
export async function runVersion(shell: Shell): Promise<number> {
  const { version, platform, arch } = process
  await print(shell, `tsbuild ${packageVersion()} (node ${version}, ${platform}/${arch})\n`)
  return 0
}
