import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Digest, digestOf, parseManifestOrIndex, TsbuildError } from '#core'
import type { RegistryClient } from '#registry-client'
import { seededRandom } from '../../support/random/index.ts'
import { MemoryRegistry } from '../../support/registry/index.ts'
import { ALICE, clientFor, fixedCredentials, repositoryOf } from '../support.ts'
import { lastingFaults } from './lasting-faults.ts'
import { PassingFaults } from './passing-faults.ts'
import { pullSample, pushSample } from './sample.ts'

const NAME = 'team/app'
/** Milliseconds: nothing of a plan waits longer than that for a registry that is silent. */
const PATIENCE = 500
const TIMEOUTS = { connect: 5000, headers: PATIENCE, stored: PATIENCE, idle: PATIENCE }
/** A sample takes some 40; more would mean that something is tried without a bound. */
const MOST_REQUESTS = 400
const MOST_SECONDS = 60

/** Pushes and pulls images, an index and an artifact, each time with other faults. */
export function plansSuite(seeds: readonly number[]): void {
  describe(`a registry with faults, ${seeds.length} plans`, function () {
    this.timeout(seeds.length * 5_000 + 60_000)

    for (const seed of seeds) {
      it(`plan ${seed}`, async () => {
        const random = seededRandom(seed)
        await using plan = await Plan.start(random() < 0.5)
        try {
          await (random() < 0.7 ? plan.runPassing(seed) : plan.runLasting(random))
          await plan.checkTags()
          plan.checkSecrets()
          assert.ok(plan.requests < MOST_REQUESTS, `${plan.requests} requests`)
        } catch (cause) {
          throw new Error(`plan of seed ${seed}: ${String(cause)}\n${plan.log.join('\n')}`, {
            cause,
          })
        }
      })
    }
  })
}

class Plan implements AsyncDisposable {
  readonly #registry: MemoryRegistry
  readonly #client: RegistryClient
  log: readonly string[] = []

  private constructor(registry: MemoryRegistry) {
    this.#registry = registry
    this.#client = clientFor({ credentials: fixedCredentials(ALICE), timeouts: TIMEOUTS })
  }

  static async start(listsReferrers: boolean): Promise<Plan> {
    const users = { [ALICE.username]: ALICE.password }
    return new Plan(await MemoryRegistry.start({ listsReferrers, auth: { kind: 'bearer', users } }))
  }

  get requests(): number {
    return this.#registry.requests.length
  }

  /** Faults that pass: all goes well. */
  async runPassing(seed: number): Promise<void> {
    const faults = new PassingFaults(seed, this.#registry)
    this.log = faults.log
    this.#registry.failAsChosen((request) => faults.choose(request))
    const root = await this.#push()
    const found = await this.#pull()
    this.#registry.clearFaults()
    assert.equal(found.size, 11, 'two images, an index and a signature')
    assert.ok(found.has(root))
    for (const [digest, bytes] of found) assert.equal(digestOf(bytes), digest)
  }

  /** One that stays: there is one error, of a code that fits, or it did no harm. */
  async runLasting(random: () => number): Promise<void> {
    const all = lastingFaults(this.#registry)
    const fault = all[Math.floor(random() * all.length)]
    assert.ok(fault !== undefined)
    const sparing = Math.floor(random() * 3)
    let met = 0
    this.log = [fault.name]
    this.#registry.failAsChosen((request) => {
      if (!fault.fits(request) || met++ < sparing) return undefined
      return fault.action(request)
    })
    const failure = await this.#push()
      .then(() => this.#pull())
      .then(
        () => undefined,
        (error: unknown) => error,
      )
    this.#registry.clearFaults()
    if (fault.codes.length === 0) assert.equal(failure, undefined)
    if (failure === undefined) return
    assert.ok(failure instanceof TsbuildError, String(failure))
    assert.ok(fault.codes.includes(failure.code), `${failure.code}: ${failure.message}`)
    assert.ok(DOCUMENTED.has(failure.code), failure.code)
  }

  /** Whatever a tag leads to is there, down to the last blob. */
  async checkTags(): Promise<void> {
    await using client = clientFor({ credentials: fixedCredentials(ALICE) })
    const repository = repositoryOf(client, this.#registry, NAME)
    const visit = async (tagOrDigest: string): Promise<void> => {
      const { descriptor, bytes } = await repository.fetchManifest(tagOrDigest)
      const parsed = parseManifestOrIndex(bytes, descriptor.mediaType)
      if (parsed.kind === 'index') {
        for (const { digest } of parsed.index.manifests) await visit(digest)
        return
      }
      for (const { digest } of [parsed.manifest.config, ...parsed.manifest.layers]) {
        const stored = this.#registry.blob(NAME, digest)
        assert.ok(stored !== undefined, `${digest} of ${tagOrDigest} is missing`)
        assert.equal(digestOf(stored), digest)
      }
    }
    for (const tag of this.#registry.tagsOf(NAME)) await visit(tag)
  }

  /** No other origin was given what the registry, or its token service, is to be given. */
  checkSecrets(): void {
    for (const { headers, url } of this.#registry.elsewhereRequests) {
      const text = JSON.stringify([headers, url])
      assert.doesNotMatch(text, /authorization|Bearer|Basic|cookie/i)
      assert.ok(!text.includes(ALICE.password))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close()
    await this.#registry.close()
  }

  #push(): Promise<Digest> {
    return pushSample(repositoryOf(this.#client, this.#registry, NAME), this.#signal())
  }

  async #pull(): Promise<ReadonlyMap<string, Buffer>> {
    await using client = clientFor({ credentials: fixedCredentials(ALICE), timeouts: TIMEOUTS })
    return await pullSample(repositoryOf(client, this.#registry, NAME), this.#signal())
  }

  #signal(): AbortSignal {
    return AbortSignal.timeout(MOST_SECONDS * 1000)
  }
}

/** The codes that users can look up. */
const DOCUMENTED: ReadonlySet<string> = new Set(
  [
    ...readFileSync(join(import.meta.dirname, '../../../../docs/errors.md'), 'utf8').matchAll(
      /^[|] `([A-Z_]+)`/gm,
    ),
  ].map(([, code = '']) => code),
)
