// The bundle, because its worker threads start in half the time.
import { build, TsbuildError } from 'tsbuild'
import { pairsOf } from './buildkit.ts'
import { type KnownLayers, readLayoutImage } from './built-image.ts'
import type { Outcome } from './outcome.ts'
import type { DifferentialCase } from './tables.ts'

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
    const value = (kind: string): string | undefined => {
      return one.options.find((option) => option.kind === kind)?.value
    }
    const target = value('target')
    const platform = value('platform')
    const secrets = Object.entries(pairsOf(one.options, 'secret'))
    try {
      const { digest = '' } = await build({
        context: folder,
        root: this.#root,
        dockerfile: one.dockerfile,
        buildArgs: pairsOf(one.options, 'arg'),
        labels: pairsOf(one.options, 'label'),
        secrets: Object.fromEntries(secrets.map(([id, text]) => [id, { value: text }])),
        // A network of its own takes a process for every step.
        network: 'host',
        insecureRegistries: this.#insecureRegistries,
        ...(tag === undefined ? {} : { tags: [tag] }),
        ...(target === undefined ? {} : { target }),
        ...(platform === undefined ? {} : { platform }),
      })
      return { image: await readLayoutImage(this.#root, digest, this.#known) }
    } catch (error) {
      if (error instanceof TsbuildError) return { refused: error.message }
      throw error
    }
  }
}
