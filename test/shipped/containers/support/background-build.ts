import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { must } from '../engines/engine.ts'
import { flagsOf, SECRET } from './builds.ts'
import type { Kind } from './kinds.ts'
import type { Matrix } from './matrix.ts'
import type { Site } from './site.ts'

/** The image that every build of the folder `killed` pushes. */
export const KILLED_IMAGE = 'cells/killed:latest'

/** A docker volume, which is gone with the scope that holds it. */
export interface Volume extends AsyncDisposable {
  readonly name: string
  /** Its directory on this machine. */
  readonly path: string
}

export async function createVolume({ engine }: Site): Promise<Volume> {
  const name = await must(engine, ['volume', 'create'])
  const path = await must(engine, ['volume', 'inspect', '--format', '{{.Mountpoint}}', name])
  return {
    name,
    path,
    [Symbol.asyncDispose]: async () => void (await must(engine, ['volume', 'rm', name])),
  }
}

/** The build `killed` in a container that runs in the background, with its store on a volume. */
export class BackgroundBuild implements AsyncDisposable {
  readonly #site: Site
  readonly #container: string
  readonly #folders: readonly string[]

  private constructor(site: Site, container: string, folders: readonly string[]) {
    this.#site = site
    this.#container = container
    this.#folders = folders
  }

  static async start(matrix: Matrix, kind: Kind, volume: Volume): Promise<BackgroundBuild> {
    const { site, registry } = matrix
    const words = await site.words({
      kind: { ...kind, options: ['--volume', `${volume.name}:/store`] },
      context: matrix.contextOf('killed'),
      flags: [
        ...flagsOf('killed', registry.host),
        ...['--root', '/store', '-t', `${registry.host}/${KILLED_IMAGE}`],
      ],
      env: { TOKEN: SECRET },
    })
    const container = await must(site.engine, ['run', '--detach', ...words])
    const format = ['--format', '{{.GraphDriver.Data.UpperDir}}']
    const upper = await must(site.engine, ['inspect', ...format, container])
    return new BackgroundBuild(site, container, [volume.path, upper])
  }

  /** Sends a signal to its first process, if that has not ended. */
  async kill(signal: 'KILL' | 'TERM'): Promise<void> {
    await this.#site.engine.call(['kill', '--signal', signal, this.#container])
  }

  /** Waits for its end; gives its exit code. */
  async end(): Promise<number> {
    return Number(await must(this.#site.engine, ['wait', this.#container]))
  }

  /** What it wrote. */
  async said(): Promise<string> {
    const { stdout, stderr } = await this.#site.engine.call(['logs', this.#container])
    return stdout + stderr
  }

  /** The files of the volume and of the container's own file system that have this text in them. */
  filesWith(text: string): readonly string[] {
    return this.#folders.flatMap((folder) =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .filter((path) => readFileSync(path).includes(text)),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await must(this.#site.engine, ['rm', '--force', this.#container])
  }
}
