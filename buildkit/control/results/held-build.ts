import { type BuildOptions, type BuildResult, build, type MadeImage } from '#builder'
import { newResultId } from './result-id.ts'

/** A platform's part of a result, as clients name it. */
export interface HeldRef {
  readonly id: string
  readonly image: MadeImage
}

type HeldOptions = Omit<BuildOptions, 'onBuilt' | 'signal'>

/** A build that has done its steps and waits: its result can be looked into, and goes where it was to go when it is let go. */
export class HeldBuild {
  readonly refs: readonly HeldRef[]
  readonly #goOn: () => void
  readonly #cancelling: AbortController
  readonly #ended: Promise<BuildResult>
  readonly #options: HeldOptions
  readonly #folder: string
  #layout: Promise<string> | undefined

  private constructor(
    images: readonly MadeImage[],
    parts: {
      readonly options: HeldOptions
      readonly folder: string
      readonly goOn: () => void
      readonly cancelling: AbortController
      readonly ended: Promise<BuildResult>
    },
  ) {
    this.refs = images.map((image) => ({ id: newResultId(), image }))
    this.#options = parts.options
    this.#folder = parts.folder
    this.#goOn = parts.goOn
    this.#cancelling = parts.cancelling
    this.#ended = parts.ended
  }

  /**
   * Starts a build.
   * @param place a folder that is free for its result, and lasts as long; what ends it, also while it waits
   * @returns when its steps are done
   * @throws as `build`
   */
  static async start(
    options: HeldOptions,
    { folder, signal }: { readonly folder: string; readonly signal: AbortSignal },
  ): Promise<HeldBuild> {
    const built = Promise.withResolvers<readonly MadeImage[]>()
    const go = Promise.withResolvers<void>()
    const cancelling = new AbortController()
    const stop = AbortSignal.any([signal, cancelling.signal])
    stop.addEventListener('abort', () => go.resolve())
    const ended = build({
      ...options,
      signal: stop,
      onBuilt: async (images) => {
        built.resolve(images)
        await go.promise
        stop.throwIfAborted()
      },
    })
    ended.catch(built.reject)
    const images = await built.promise
    return new HeldBuild(images, { options, folder, goOn: go.resolve, cancelling, ended })
  }

  /**
   * Its result as a base of other builds: found in the cache, where it is by now, and written once.
   * @returns what names it in the options of a build
   */
  asContext(): Promise<string> {
    this.#layout ??= this.#writeLayout()
    return this.#layout
  }

  async #writeLayout(): Promise<string> {
    const folder = this.#folder
    const { attestations: _, tags: __, cacheTo: ___, onEvent: ____, ...options } = this.#options
    const { digest } = await build({
      ...options,
      noCache: false,
      outputs: [{ type: 'oci', dest: folder, tar: false, compression: 'uncompressed' }],
      signal: this.#cancelling.signal,
    })
    return `oci-layout://${folder}@${digest}`
  }

  /** Lets it send its result. @throws as `build` */
  async deliver(): Promise<BuildResult> {
    this.#goOn()
    return await this.#ended
  }

  /** Ends it without a result; a no-op for one that has ended. */
  async cancel(): Promise<void> {
    this.#cancelling.abort()
    await this.#ended.catch(() => undefined)
  }
}
