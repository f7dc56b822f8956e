import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { readDocument, shapes } from '#core'

/** The bundler writes the version here: what it makes need not lie beside package.json. */
declare const BUNDLED_VERSION: string | undefined

/** The version in package.json. @throws {TsbuildError} IO_FAILED */
export function packageVersion(): string {
  return typeof BUNDLED_VERSION === 'string' ? BUNDLED_VERSION : readVersion()
}

function readVersion(): string {
  const bytes = readFileSync(findPackageJSON(import.meta.url) ?? 'package.json')
  const shape = shapes.object({ version: shapes.string })
  const { version } = readDocument(bytes, shape, { what: 'package.json', code: 'IO_FAILED' })
  return version ?? 'unknown'
}
