import { type Registry, startRegistry, temporaryDirectory } from '../../../support/peers/index.ts'
import type { Engine } from '../engines/engine.ts'
import { pushBases } from '../images/bases.ts'
import { Images } from '../images/images.ts'
import { type Build, copyContexts } from './builds.ts'
import { HostBuilds } from './host-builds.ts'
import { Site } from './site.ts'

/** What builds in containers need: where they are done, and what they are compared with. */
export interface Matrix {
  readonly site: Site
  readonly registry: Registry
  readonly hostBuilds: HostBuilds
  readonly contextOf: (build: Build) => string
}

/** @param stack ends the engine and all that is started for it */
export async function startMatrix(
  start: () => Promise<Engine>,
  stack: AsyncDisposableStack,
): Promise<Matrix> {
  const directory = stack.use(temporaryDirectory('matrix', 0o755))
  const registry = stack.use(await startRegistry())
  await pushBases(registry)
  const engine = stack.use(await start())
  const site = await Site.start(engine, { images: new Images(directory), registry }, stack)
  const contextOf = copyContexts(directory)
  const hostBuilds = new HostBuilds(registry, directory, contextOf)
  return { site, registry, hostBuilds, contextOf }
}
