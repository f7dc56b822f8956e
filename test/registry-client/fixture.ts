import type { Credentials, RegistryClient, Repository, Timeouts } from '#registry-client'
import { TestTiming } from '../support/http/index.ts'
import { MemoryRegistry, type RegistryAuth } from '../support/registry/index.ts'
import { clientFor, fixedCredentials, repositoryOf } from './support.ts'

interface FixtureOptions {
  readonly auth?: RegistryAuth
  readonly credentials?: Credentials | undefined
  readonly timeouts?: Partial<Timeouts>
}

interface Started {
  readonly registry: MemoryRegistry
  readonly client: RegistryClient
  readonly repository: Repository
  readonly timing: TestTiming
}

/** A registry, and a client with a repository of it. */
class RegistryFixture {
  #started: Started | undefined

  /** Starts a registry in place of the one before. */
  async start(options: FixtureOptions = {}): Promise<Repository> {
    await this.close()
    const { auth, credentials, timeouts } = options
    const registry = await MemoryRegistry.start(auth === undefined ? {} : { auth })
    const timing = new TestTiming()
    const client = clientFor({ credentials: fixedCredentials(credentials), timing, timeouts })
    const repository = repositoryOf(client, registry)
    this.#started = { registry, client, repository, timing }
    return repository
  }

  async close(): Promise<void> {
    await this.#started?.client.close()
    await this.#started?.registry.close()
    this.#started = undefined
  }

  get registry(): MemoryRegistry {
    return this.#now().registry
  }

  get client(): RegistryClient {
    return this.#now().client
  }

  get repository(): Repository {
    return this.#now().repository
  }

  get timing(): TestTiming {
    return this.#now().timing
  }

  /** The URLs that its token service was asked at. */
  tokenRequests(): readonly URL[] {
    return this.registry.requests
      .filter(({ url }) => url.startsWith('/token'))
      .map(({ url }) => new URL(url, this.registry.origin))
  }

  #now(): Started {
    if (this.#started === undefined) throw new Error('there is a registry inside of tests only')
    return this.#started
  }
}

/** A fixture that starts a registry before each test of a `describe` and closes it afterwards. */
export function useRegistry(options: FixtureOptions = {}): RegistryFixture {
  const fixture = new RegistryFixture()
  beforeEach(async () => {
    await fixture.start(options)
  })
  afterEach(() => fixture.close())
  return fixture
}
