import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import PQueue from 'p-queue'
import { memoryDirectory, startBusyboxRegistry, type TemporaryDirectory } from '../peers/index.ts'
import { pairsOf } from './cases/case-flags.ts'
import { plainCase } from './cases/plain-case.ts'
import { type DifferentialCase, readCases } from './cases/tables.ts'
import type { WitnessName } from './cases/witness-name.ts'
import { complaintsOf, type Outcome } from './compare/outcome.ts'
import { makeFiles } from './context-files.ts'
import { DockerIo } from './docker-io.ts'
import { Here } from './here.ts'
import { Newest } from './newest.ts'
import { type Surroundings, startSurroundings } from './surroundings.ts'
import type { Way } from './ways/way.ts'
import type { Witness } from './witness.ts'

/** Starts what builds here. @param folder everything that builds name lies in it */
export type StartWay = (folder: string) => Promise<Way>

/** How many cases are built at a time. */
const LANES = 6

/** Both builders, with the same base images. */
export class Differential implements AsyncDisposable {
  readonly #resources: AsyncDisposableStack
  readonly #directory: TemporaryDirectory
  readonly #witness: Witness
  readonly #here: Here
  readonly #surroundings: Surroundings
  readonly #queue: PQueue = new PQueue({ concurrency: LANES })
  readonly #since: number = Math.floor(Date.now() / 1000)
  #count = 0
  #built = 0

  private constructor(parts: {
    readonly resources: AsyncDisposableStack
    readonly directory: TemporaryDirectory
    readonly witness: Witness
    readonly here: Here
    readonly surroundings: Surroundings
  }) {
    this.#resources = parts.resources
    this.#directory = parts.directory
    this.#witness = parts.witness
    this.#here = parts.here
    this.#surroundings = parts.surroundings
  }

  /**
   * Starts them; `busybox` and the images of the table `images` are there for every FROM, and what
   * `startSurroundings` starts.
   * @param startWay how this repository's builder builds
   */
  static async start(name: WitnessName, startWay: StartWay): Promise<Differential> {
    await using resources = new AsyncDisposableStack()
    const directory = resources.use(memoryDirectory('differential'))
    const registry = resources.use(await startBusyboxRegistry())
    const reference = `${registry.host}/busybox:latest`
    const witness = resources.use(
      name === 'newest'
        ? await Newest.start(registry.host)
        : await DockerIo.start(reference, LANES),
    )
    const way = resources.use(await startWay(directory.path))
    const here = new Here(directory.file('store'), [registry.host], way)
    const surroundings = resources.use(await startSurroundings(directory))
    const kept = resources.move()
    const both = new Differential({ resources: kept, directory, witness, here, surroundings })
    await both.#prepare(reference)
    return both
  }

  async #prepare(reference: string): Promise<void> {
    const busybox = plainCase('busybox', `FROM ${reference}\n`)
    for (const image of [busybox, ...readCases('images', this.#witness.name)]) {
      const tag = image.name.replace('images: ', '')
      const { ours, theirs } = await this.#buildBoth(image, tag)
      if ('refused' in ours) throw new Error(`${tag}: ${ours.refused}`)
      if ('refused' in theirs) throw new Error(`${tag}: BuildKit: ${theirs.refused}`)
    }
  }

  /** How many cases have come to two results that were compared. */
  get built(): number {
    return this.#built
  }

  /** Builds a case twice, when its turn comes; see `complaintsOf` for the answer. */
  async check(one: DifferentialCase): Promise<readonly string[]> {
    return await this.#queue.add(async () => {
      const outcomes = await this.#buildBoth(one)
      if (!('refused' in outcomes.ours || 'refused' in outcomes.theirs)) this.#built++
      return complaintsOf(one, { ...outcomes, witness: this.#witness.name, since: this.#since })
    })
  }

  async #buildBoth(
    given: DifferentialCase,
    tag?: string,
  ): Promise<{ readonly ours: Outcome; readonly theirs: Outcome }> {
    const number = this.#count++
    const { place } = this.#surroundings
    const dockerfile = place(given.dockerfile)
    const options = given.options.map(({ kind, value }) => ({ kind, value: place(value) }))
    const one = { ...given, dockerfile, options }
    const folder = this.#directory.file(`context${number}`)
    await makeContext(folder, one, given.equivalent ?? dockerfile)
    const [ours, theirs] = await Promise.all([
      this.#here.build(one, folder, tag),
      this.#witness.build(one, folder, tag),
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
