import { fileURLToPath } from 'node:url'
import { capture } from '../peers/index.ts'
import { flagsOf, pairsOf, valuesOf } from './cases/case-flags.ts'
import type { DifferentialCase } from './cases/tables.ts'
import { type KnownLayers, readLayoutImage } from './compare/built-image.ts'
import type { Outcome } from './compare/outcome.ts'
import type { Order, Way } from './ways/way.ts'

/** Builds with this repository's builder. */
export class Here {
  readonly #root: string
  readonly #insecureRegistries: readonly string[]
  readonly #way: Way
  readonly #known: KnownLayers = new Map()

  /** @param root folder of the store */
  constructor(root: string, insecureRegistries: readonly string[], way: Way) {
    this.#way = way
    this.#root = root
    this.#insecureRegistries = insecureRegistries
  }

  /** @param folder holds the context */
  async build(one: DifferentialCase, folder: string, tag: string | undefined): Promise<Outcome> {
    if (valuesOf(one.options, 'call').length > 0) return await this.#ask(one, folder)
    const delivery = await this.#way.build({
      context: folder,
      root: this.#root,
      dockerfile: one.dockerfile,
      // A network of its own takes a process for every step.
      network: 'host',
      insecureRegistries: this.#insecureRegistries,
      ...(tag === undefined ? {} : { tags: [tag] }),
      ...optionsOf(one, folder),
    })
    if ('refused' in delivery) return delivery
    return { image: await readLayoutImage(this.#root, delivery.digest, this.#known) }
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

function optionsOf({ options }: DifferentialCase, folder: string): Partial<Order> {
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
    allow: valuesOf(options, 'allow') as NonNullable<Order['allow']>,
    ...(target === undefined ? {} : { target }),
    ...(platform === undefined ? {} : { platform }),
  }
}
