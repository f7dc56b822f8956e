import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { readDocument, shapes } from '#core'

/** The version in package.json. @throws {TsbuildError} IO_FAILED */
export function packageVersion(): string {
  // From the folder above: this module is a file of dist/bundle, which has a package.json of its own.
  const path = findPackageJSON('..', import.meta.url)
  const bytes = readFileSync(path ?? 'package.json')
  const shape = shapes.object({ version: shapes.string })
  const { version } = readDocument(bytes, shape, { what: 'package.json', code: 'IO_FAILED' })
  return version ?? 'unknown'
}
