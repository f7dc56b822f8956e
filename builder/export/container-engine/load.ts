import { chooseEngine, type EngineRequest } from './choose-engine.ts'
import { DockerApi } from './docker-api.ts'
import { type LoadOptions, loadIntoDocker } from './load-docker.ts'
import { loadIntoPodman } from './load-podman.ts'
import type { Offer } from './offer.ts'

/** How an offer is loaded. */
export interface LoadRequest extends EngineRequest, LoadOptions {
  /** An empty folder. */
  readonly folder: string
}

/** Loads an image into the engine that is asked for. @throws {TsbuildError} as `chooseEngine` and its loaders */
export async function loadIntoEngine(offer: Offer, request: LoadRequest): Promise<void> {
  const engine = await chooseEngine(request)
  if (engine.kind === 'podman') return await loadIntoPodman(offer, request)
  using api = new DockerApi(engine.endpoint, request.env)
  await loadIntoDocker(offer, api, request)
}
