import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Buildkitd,
  findPeers,
  memoryDirectory,
  startBuildkitd,
  unpackPeers,
} from '../peers/index.ts'
import { flagsOf, valuesOf } from './cases/case-flags.ts'
import type { DifferentialCase } from './cases/tables.ts'
import { type KnownLayers, readLayoutImage } from './compare/built-image.ts'
import type { Outcome } from './compare/outcome.ts'
import type { Witness } from './witness.ts'

/** The rights that a case can ask for. */
const ENTITLEMENTS = ['network.host', 'security.insecure']

/** The BuildKit of today's peers, with buildx as its client. */
export class Newest implements Witness {
  readonly name = 'newest'
  readonly #buildkitd: Buildkitd
  readonly #mirror: string
  readonly #known: KnownLayers = new Map()

  private constructor(buildkitd: Buildkitd, mirror: string) {
    this.#buildkitd = buildkitd
    this.#mirror = mirror
  }

  /**
   * @param mirror `host:port` of a registry that stands for docker.io; it gets what has a tag
   */
  static async start(mirror: string): Promise<Newest> {
    const peers = findPeers()
    if (peers === undefined) throw new Error('the newest BuildKit is not on this machine')
    const programs = await unpackPeers(peers)
    const directory = memoryDirectory('buildkitd')
    const options = { directory, mirror, entitlements: ENTITLEMENTS }
    return new Newest(await startBuildkitd(programs, options), mirror)
  }

  async build(one: DifferentialCase, folder: string, tag: string | undefined): Promise<Outcome> {
    const layout = `${folder}.layout`
    const isQuestion = valuesOf(one.options, 'call').length > 0
    const pushed = `type=image,name=${this.#mirror}/library/${tag}:latest,push=true`
    const flags = [
      ...['--provenance=false', '--network=host'],
      ...(isQuestion ? [] : ['-o', `type=oci,tar=false,compression=uncompressed,dest=${layout}`]),
      ...(tag === undefined ? [] : ['-o', pushed]),
    ]
    try {
      const { stdout } = await this.#buildkitd.buildx([...flags, ...flagsOf(one, folder), folder])
      if (isQuestion) return { answer: JSON.parse(stdout) }
      return { image: await readLayoutImage(layout, digestIn(layout), this.#known) }
    } catch (error) {
      return { refused: /^ERROR: .*$/m.exec(String(error))?.[0] ?? String(error) }
    } finally {
      rmSync(layout, { recursive: true, force: true })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#buildkitd[Symbol.asyncDispose]()
  }
}

/** The digest of the only manifest. */
function digestIn(layout: string): string {
  const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as {
    readonly manifests: readonly { readonly digest: string }[]
  }
  return index.manifests[0]?.digest ?? ''
}
