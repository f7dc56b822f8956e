import type { TemporaryDirectory } from '../../../support/peers/index.ts'
import { buildArchive, imageContexts } from '../../built-image.ts'
import { type Engine, must } from '../engines/engine.ts'
import { SLIM_CHANGES, writeSlimImage } from './slim.ts'

/** `slim` has node and the published package, `tsbuild` is the image of the repository. */
export type ImageName = 'slim' | 'tsbuild'

const MAKERS = { slim: makeSlim, tsbuild: makeTsbuild } as const

/** The images with tsbuild in them; each is made when an engine first needs it. */
export class Images {
  readonly #directory: TemporaryDirectory
  readonly #archives = new Map<ImageName, Promise<string>>()

  /** @param directory gets the archives */
  constructor(directory: TemporaryDirectory) {
    this.#directory = directory
  }

  /** Gives it to an engine, and returns its name there. */
  async load(engine: Engine, name: ImageName): Promise<string> {
    const archive = this.#archives.get(name) ?? MAKERS[name](this.#directory)
    this.#archives.set(name, archive)
    if (name === 'slim') {
      const changes = SLIM_CHANGES.flatMap((change) => ['--change', change])
      return await must(engine, ['import', ...changes, await archive])
    }
    const said = await must(engine, ['load', '--quiet', '--input', await archive])
    const loaded = /^Loaded image(?:s| ID)?: (\S+)$/m.exec(said)?.[1]
    if (loaded === undefined) throw new Error(`${engine.name} load: ${said}`)
    return loaded
  }
}

async function makeSlim(directory: TemporaryDirectory): Promise<string> {
  const archive = directory.file('slim.tar')
  await writeSlimImage(directory.file('slim'), archive)
  return archive
}

async function makeTsbuild(directory: TemporaryDirectory): Promise<string> {
  const archive = directory.file('tsbuild.tar')
  const store = directory.file('image-store')
  await buildArchive(await imageContexts(directory), { store, archive })
  return archive
}
