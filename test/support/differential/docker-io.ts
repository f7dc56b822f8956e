import { readFileSync } from 'node:fs'
import {
  type DockerApi,
  type Dockerd,
  dockerApi,
  memoryDirectory,
  startDockerd,
} from '../peers/index.ts'
import { flagsOf, pairsOf } from './cases/case-flags.ts'
import type { CaseOption, DifferentialCase } from './cases/tables.ts'
import { type KnownLayers, readDockerImage } from './compare/built-image.ts'
import type { Outcome } from './compare/outcome.ts'
import { packContext } from './context-files.ts'
import type { Witness } from './witness.ts'

/** BuildKit, as docker.io has it. */
export class DockerIo implements Witness {
  readonly name = 'docker.io'
  readonly #dockerd: Dockerd
  readonly #api: DockerApi
  readonly #known: KnownLayers = new Map()

  private constructor(dockerd: Dockerd, connections: number) {
    this.#dockerd = dockerd
    this.#api = dockerApi(dockerd.socket, connections)
  }

  /**
   * @param base a registry's image that is made one of the daemon's own, so that no FROM asks the
   * registry again
   * @param connections how many builds run at a time
   */
  static async start(base: string, connections: number): Promise<DockerIo> {
    const dockerd = await startDockerd({ directory: memoryDirectory('dockerd') })
    await dockerd.docker(['pull', '--quiet', base])
    return new DockerIo(dockerd, connections)
  }

  async build(one: DifferentialCase, folder: string, tag: string | undefined): Promise<Outcome> {
    const built = needsClient(one)
      ? await this.#buildWithClient(one, folder)
      : await this.#api.build(await packContext(folder), queryOf(one.options, tag))
    if ('error' in built) return { refused: built.error }
    const { id } = built
    const save = (): Promise<Buffer> => this.#api.save(id)
    return { image: await readDockerImage(this.#dockerd.readConfig(id), this.#known, save) }
  }

  async #buildWithClient(
    one: DifferentialCase,
    folder: string,
  ): Promise<{ readonly id: string } | { readonly error: string }> {
    const idFile = `${folder}.id`
    try {
      await this.#dockerd.build([...flagsOf(one, folder), '--iidfile', idFile, folder])
    } catch (error) {
      return { error: String(error) }
    }
    return { id: readFileSync(idFile, 'utf8') }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#api[Symbol.asyncDispose]()
    await this.#dockerd[Symbol.asyncDispose]()
  }
}

/** Ignore files and secrets are the client's business. */
function needsClient({ files, dockerfile }: DifferentialCase): boolean {
  return (
    files.some((line) => /^\S*\.dockerignore /.test(line)) || dockerfile.includes('type=secret')
  )
}

function queryOf(
  options: readonly CaseOption[],
  tag: string | undefined,
): Readonly<Record<string, string>> {
  const query: Record<string, string> = tag === undefined ? {} : { t: tag }
  for (const [kind, name] of [
    ['target', 'target'],
    ['platform', 'platform'],
  ] as const) {
    const value = options.find((option) => option.kind === kind)?.value
    if (value !== undefined) query[name] = value
  }
  query.buildargs = JSON.stringify(pairsOf(options, 'arg'))
  query.labels = JSON.stringify(pairsOf(options, 'label'))
  return query
}
