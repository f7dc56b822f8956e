import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import PQueue from 'p-queue'
import {
  busyboxBase,
  memoryDirectory,
  pushLayout,
  startRegistry,
  type TemporaryDirectory,
} from '../peers/index.ts'
import { BuildKit, pairsOf } from './buildkit.ts'
import { makeFiles } from './context-files.ts'
import { Here } from './here.ts'
import { complaintsOf, type Outcome } from './outcome.ts'
import { plainCase } from './plain-case.ts'
import { type DifferentialCase, readCases } from './tables.ts'
import { startWebSite } from './web-site.ts'

/** How many cases are built at a time. */
const LANES = 6

/** Both builders, with the same base images. */
export class Differential implements AsyncDisposable {
  readonly #resources: AsyncDisposableStack
  readonly #directory: TemporaryDirectory
  readonly #buildKit: BuildKit
  readonly #here: Here
  readonly #web: string
  readonly #queue: PQueue = new PQueue({ concurrency: LANES })
  readonly #since: number = Math.floor(Date.now() / 1000)
  #count = 0
  #built = 0

  private constructor(parts: {
    readonly resources: AsyncDisposableStack
    readonly directory: TemporaryDirectory
    readonly buildKit: BuildKit
    readonly here: Here
    readonly web: string
  }) {
    this.#resources = parts.resources
    this.#directory = parts.directory
    this.#buildKit = parts.buildKit
    this.#here = parts.here
    this.#web = parts.web
  }

  /** Starts them; `busybox` and the images of the table `images` are there for every FROM,
   * and `{WEB}` in a Dockerfile is the address of a small web site. */
  static async start(): Promise<Differential> {
    await using resources = new AsyncDisposableStack()
    const directory = resources.use(memoryDirectory('differential'))
    const registry = resources.use(await startRegistry())
    const buildKit = resources.use(await BuildKit.start(LANES))
    const reference = `${registry.host}/busybox:latest`
    await pushLayout(await busyboxBase(), reference)
    await buildKit.pull(reference)
    const here = new Here(directory.file('store'), [registry.host])
    const web = resources.use(await startWebSite()).origin
    const kept = resources.move()
    const both = new Differential({ resources: kept, directory, buildKit, here, web })
    await both.#prepare(reference)
    return both
  }

  async #prepare(reference: string): Promise<void> {
    const busybox = plainCase('busybox', `FROM ${reference}\n`)
    for (const image of [busybox, ...readCases('images')]) {
      const tag = image.name.replace('images: ', '')
      const { ours, theirs } = await this.#buildBoth(image, tag)
      if ('refused' in ours) throw new Error(`${tag}: ${ours.refused}`)
      if ('refused' in theirs) throw new Error(`${tag}: BuildKit: ${theirs.refused}`)
    }
  }

  /** How many cases have come to two images that were compared. */
  get built(): number {
    return this.#built
  }

  /** Builds a case twice, when its turn comes; see `complaintsOf` for the answer. */
  async check(one: DifferentialCase): Promise<readonly string[]> {
    return await this.#queue.add(async () => {
      const outcomes = await this.#buildBoth(one)
      if ('image' in outcomes.ours && 'image' in outcomes.theirs) this.#built++
      return complaintsOf(one, { ...outcomes, since: this.#since })
    })
  }

  async #buildBoth(
    given: DifferentialCase,
    tag?: string,
  ): Promise<{ readonly ours: Outcome; readonly theirs: Outcome }> {
    const number = this.#count++
    const placed = (text: string): string => text.replaceAll('{WEB}', this.#web)
    const dockerfile = placed(given.dockerfile)
    const one = { ...given, dockerfile }
    const folder = this.#directory.file(`context${number}`)
    await makeContext(folder, one, given.equivalent ?? dockerfile)
    const [ours, theirs] = await Promise.all([
      this.#here.build(one, folder, tag),
      this.#buildKit.build(one, folder, tag),
    ])
    return { ours, theirs }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#queue.clear()
    await this.#queue.onIdle()
    await this.#resources[Symbol.asyncDispose]()
  }
}

async function makeContext(
  folder: string,
  { files, options }: DifferentialCase,
  dockerfile: string,
): Promise<void> {
  await makeFiles(folder, files, dockerfile)
  const secrets = Object.entries(pairsOf(options, 'secret'))
  if (secrets.length > 0) mkdirSync(`${folder}.secrets`)
  for (const [id, value] of secrets) writeFileSync(join(`${folder}.secrets`, id), value)
}
