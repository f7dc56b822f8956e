import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type DockerApi,
  type Dockerd,
  dockerApi,
  memoryDirectory,
  startDockerd,
} from '../peers/index.ts'
import { type KnownLayers, readDockerImage } from './built-image.ts'
import { packContext } from './context-files.ts'
import type { Outcome } from './outcome.ts'
import type { CaseOption, DifferentialCase } from './tables.ts'

/** BuildKit, as docker.io has it. */
export class BuildKit implements AsyncDisposable {
  readonly #dockerd: Dockerd
  readonly #api: DockerApi
  readonly #known: KnownLayers = new Map()

  private constructor(dockerd: Dockerd, connections: number) {
    this.#dockerd = dockerd
    this.#api = dockerApi(dockerd.socket, connections)
  }

  /** @param connections how many builds run at a time */
  static async start(connections: number): Promise<BuildKit> {
    return new BuildKit(await startDockerd(memoryDirectory('dockerd')), connections)
  }

  /** Makes a registry's image one of the daemon's own, so that no FROM asks the registry again. */
  async pull(reference: string): Promise<void> {
    await this.#dockerd.docker(['pull', '--quiet', reference])
  }

  /** @param folder holds the context, with a `Dockerfile` */
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
    { options }: DifferentialCase,
    folder: string,
  ): Promise<{ readonly id: string } | { readonly error: string }> {
    const flags = options.flatMap(({ kind, value }) => flagsOf(kind, value, folder))
    const idFile = `${folder}.id`
    try {
      await this.#dockerd.build([...flags, '--iidfile', idFile, folder])
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

const FLAGS: Readonly<Record<string, string>> = {
  arg: '--build-arg',
  label: '--label',
  platform: '--platform',
  target: '--target',
}

function flagsOf(kind: string, value: string, folder: string): readonly string[] {
  if (kind === 'secret') {
    const [id = ''] = value.split('=', 1)
    return ['--secret', `id=${id},src=${join(`${folder}.secrets`, id)}`]
  }
  return [FLAGS[kind] ?? `--${kind}`, value]
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

/** All `NAME=value` of one kind. */
export function pairsOf(
  options: readonly CaseOption[],
  kind: string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    options
      .filter((option) => option.kind === kind)
      .map(({ value }) => {
        const [name = ''] = value.split('=', 1)
        return [name, value.slice(name.length + 1)]
      }),
  )
}
