import { StatusFeed } from '#buildkit/status'
import { TsbuildError } from '#core'
import type { ClientBuild } from './client-build.ts'
import type { HeldBuild } from './results/held-build.ts'

/** Milliseconds that a client may be faster with one of its calls than with the one that begins the build. */
const PATIENCE = 5_000
/** Milliseconds that the state of a build which has ended is kept for those who ask late. */
const KEPT = 10_000
const MOST = 1000

/** A build that a client has begun, or asks for before it has. */
interface Known {
  readonly feed: StatusFeed
  readonly build: PromiseWithResolvers<ClientBuild>
  isBegun: boolean
  /** Once it has begun. */
  current: ClientBuild | undefined
}

/** The builds of clients, by the names that these give them. */
export class ClientBuilds {
  readonly #known = new Map<string, Known>()

  /** Builds that go on. */
  get isUsed(): boolean {
    return this.#known.size > 0
  }

  /**
   * Begins a build.
   * @throws {TsbuildError} CONFLICT
   */
  begin(ref: string, make: (feed: StatusFeed) => ClientBuild): ClientBuild {
    const known = this.#take(ref)
    if (known.isBegun) throw new TsbuildError(`build ${ref} already exists`, { code: 'CONFLICT' })
    known.isBegun = true
    try {
      const build = make(known.feed)
      known.build.resolve(build)
      known.current = build
      return build
    } catch (cause) {
      known.build.reject(cause)
      this.end(ref)
      throw cause
    }
  }

  /** The build of a client that may not have begun yet. @throws {TsbuildError} NOT_FOUND */
  async find(ref: string): Promise<ClientBuild> {
    const known = this.#take(ref)
    if (!known.isBegun) this.#expect(ref, known)
    return await known.build.promise
  }

  /** The build of any client that has made a result, and holds it. */
  findHeld(resultId: string): HeldBuild | undefined {
    for (const { current } of this.#known.values()) {
      const held = current?.heldFor(resultId)
      if (held !== undefined) return held
    }
    return undefined
  }

  /** What happens in a build, from its beginning. */
  feed(ref: string): StatusFeed {
    const known = this.#take(ref)
    if (!known.isBegun) this.#expect(ref, known)
    return known.feed
  }

  /** The build has ended: who asks from now on gets what it was. */
  end(ref: string): void {
    const known = this.#known.get(ref)
    if (known === undefined) return
    known.feed.close()
    known.current = undefined
    setTimeout(() => {
      if (this.#known.get(ref) === known) this.#known.delete(ref)
    }, KEPT).unref()
  }

  #take(ref: string): Known {
    const found = this.#known.get(ref)
    if (found !== undefined) return found
    if (this.#known.size >= MOST) {
      throw new TsbuildError(`${MOST} builds are under way`, { code: 'CONFLICT' })
    }
    const made = {
      feed: new StatusFeed({ ref }),
      build: Promise.withResolvers<ClientBuild>(),
      isBegun: false,
      current: undefined,
    }
    made.build.promise.catch(() => undefined)
    this.#known.set(ref, made)
    return made
  }

  #expect(ref: string, known: Known): void {
    setTimeout(() => {
      if (known.isBegun || this.#known.get(ref) !== known) return
      this.#known.delete(ref)
      known.feed.close()
      known.build.reject(new TsbuildError(`no such job ${ref}`, { code: 'NOT_FOUND' }))
    }, PATIENCE).unref()
  }
}
