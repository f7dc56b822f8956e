import type { IncomingMessage } from 'node:http'
import { type ApiVersion, NEWEST, splitVersion } from './api-version.ts'

/** The version of a request, or why there is none. */
const versions = new WeakMap<IncomingMessage, ApiVersion | Error>()

/** The target of a request without its version, which is noted. */
export function withoutVersion(request: { readonly url?: string | undefined }): string {
  const { version, path } = splitVersion(request.url ?? '/')
  versions.set(request as IncomingMessage, version)
  return path
}

/** @throws {TsbuildError} USAGE for a version that is not served */
export function checkVersion(request: IncomingMessage): void {
  const version = versions.get(request)
  if (version instanceof Error) throw version
}

/** The version that a request is written for. */
export function versionOf({ raw }: { readonly raw: IncomingMessage }): ApiVersion {
  const version = versions.get(raw)
  return version === undefined || version instanceof Error ? NEWEST : version
}
