import { fileURLToPath } from 'node:url'
import type { BuildOptions } from '#builder'
import { capture } from '../peers/index.ts'
import { flagsOf, pairsOf, valuesOf } from './cases/case-flags.ts'
import type { DifferentialCase } from './cases/tables.ts'
import { type KnownLayers, readLayoutImage } from './compare/built-image.ts'
import type { Outcome } from './compare/outcome.ts'

/** The package as it is published: the worker threads of its bundle start in half the time. */
const { build, TsbuildError }: typeof import('#builder') = await import(
  import.meta.resolve('tsbuild')
)

/** Builds with this repository's builder. */
export class Here {
  readonly #root: string
  readonly #insecureRegistries: readonly string[]
  readonly #known: KnownLayers = new Map()

  /** @param root folder of the store */
  constructor(root: string, insecureRegistries: readonly string[]) {
    this.#root = root
    this.#insecureRegistries = insecureRegistries
  }

  /** @param folder holds the context */
  async build(one: DifferentialCase, folder: string, tag: string | undefined): Promise<Outcome> {
    if (valuesOf(one.options, 'call').length > 0) return await this.#ask(one, folder)
    try {
      const { digest = '' } = await build({
        context: folder,
        root: this.#root,
        dockerfile: one.dockerfile,
        // A network of its own takes a process for every step.
        network: 'host',
        insecureRegistries: this.#insecureRegistries,
        ...(tag === undefined ? {} : { tags: [tag] }),
        ...optionsOf(one, folder),
      })
      return { image: await readLayoutImage(this.#root, digest, this.#known) }
    } catch (error) {
      if (error instanceof TsbuildError) return { refused: error.message }
      throw error
    }
  }

  /** What the command line answers to `--call`. */
  async #ask(one: DifferentialCase, folder: string): Promise<Outcome> {
    const insecure = this.#insecureRegistries.flatMap((host) => ['--insecure-registry', host])
    const args = ['--root', this.#root, ...insecure, ...flagsOf(one, folder), folder]
    const { status, stdout, stderr } = await capture(process.execPath, [CLI, ...args])
    return status === 0 ? { answer: JSON.parse(stdout) } : { refused: stderr }
  }
}

const CLI = fileURLToPath(new URL('../../../../cli/bin.js', import.meta.url))

function optionsOf({ options }: DifferentialCase, folder: string): Partial<BuildOptions> {
  const target = valuesOf(options, 'target')[0]
  const platform = valuesOf(options, 'platform')[0]
  const secrets = Object.entries(pairsOf(options, 'secret'))
  const contexts = Object.entries(pairsOf(options, 'context'))
  const agents = Object.entries(pairsOf(options, 'ssh'))
  return {
    buildArgs: pairsOf(options, 'arg'),
    labels: pairsOf(options, 'label'),
    secrets: Object.fromEntries(secrets.map(([id, text]) => [id, { value: text }])),
    contexts: Object.fromEntries(
      contexts.map(([name, value]) => [name, value.replace(/^\.\//, `${folder}/`)]),
    ),
    ssh: Object.fromEntries(agents.map(([id, socket]) => [id, [socket]])),
    allow: valuesOf(options, 'allow') as NonNullable<BuildOptions['allow']>,
    ...(target === undefined ? {} : { target }),
    ...(platform === undefined ? {} : { platform }),
  }
}
