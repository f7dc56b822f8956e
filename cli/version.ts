import { readFileSync } from 'node:fs'
import { isJsonObject, parseJson } from '#core'
import { print, type Shell } from './shell.ts'

/** The version in package.json. */
export function packageVersion(): string {
  const bytes = readFileSync(new URL('../../package.json', import.meta.url))
  const document = parseJson(bytes, 'package.json', 'IO_FAILED')
  const version = isJsonObject(document) ? document.version : undefined
  return typeof version === 'string' ? version : 'unknown'
}

/** `tsbuild version` */
export async function runVersion(shell: Shell): Promise<number> {
  const { version, platform, arch } = process
  await print(shell, `tsbuild ${packageVersion()} (node ${version}, ${platform}/${arch})\n`)
  return 0
}
