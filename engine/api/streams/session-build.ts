import { randomBytes } from 'node:crypto'
import type { JsonObject } from '#core'
import type { Builds, SessionBuild } from '#engine/images'
import type { BuildkitDoor } from '../services/buildkit-door.ts'

/** What such a build needs beside its request. */
export interface SessionBuildDeps {
  readonly door: BuildkitDoor
  readonly builds: Builds
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal
}

/**
 * The messages of a build by BuildKit, as docker's commands before buildx read them. Spec: Docker Engine API, POST /build
 * @returns until it has ended
 */
export async function* sessionBuildMessages(
  { id, session, attributes, exporters, entitlements }: SessionBuild,
  { door, builds, signal }: SessionBuildDeps,
): AsyncGenerator<JsonObject> {
  const request = {
    ...{ Ref: id ?? randomBytes(12).toString('hex'), Session: session },
    ...{ FrontendAttrs: attributes, Exporters: exporters, Entitlements: entitlements },
  }
  using begun = builds.begin(id, signal)
  const { statuses, ended } = door.build(request, begun.signal)
  for await (const status of statuses) {
    yield { id: 'moby.buildkit.trace', aux: status.toString('base64') }
  }
  try {
    const told = await ended
    const ID = told.get('containerimage.config.digest') ?? told.get('containerimage.digest')
    if (ID !== undefined) yield { id: 'moby.image.id', aux: { ID } }
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    yield { errorDetail: { message }, error: message }
  }
}
