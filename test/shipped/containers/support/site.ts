import { type Outcome, type Registry, startRegistryTwin } from '../../../support/peers/index.ts'
import { type Engine, must } from '../engines/engine.ts'
import type { ImageName, Images } from '../images/images.ts'
import { type Kind, storeOf } from './kinds.ts'

/** One run of tsbuild in a container of its own. */
export interface Job {
  readonly kind: Kind
  /** A folder that is mounted read-only at /context. */
  readonly context: string
  /** The command line of tsbuild without the context. */
  readonly flags: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/**
 * An engine whose containers share a network that holds the loopback and the registry only: none of
 * them reaches this machine or the internet.
 */
export class Site {
  readonly engine: Engine
  /** What `--network` takes. */
  readonly network: string
  /** The name that an image has here. */
  readonly imageOf: (name: ImageName) => Promise<string>

  private constructor(
    engine: Engine,
    network: string,
    imageOf: (name: ImageName) => Promise<string>,
  ) {
    this.engine = engine
    this.network = network
    this.imageOf = imageOf
  }

  /** @param stack ends what is started here */
  static async start(
    engine: Engine,
    { images, registry }: { readonly images: Images; readonly registry: Registry },
    stack: AsyncDisposableStack,
  ): Promise<Site> {
    const loaded = new Map<ImageName, Promise<string>>()
    const imageOf = (name: ImageName): Promise<string> => {
      const image = loaded.get(name) ?? images.load(engine, name)
      loaded.set(name, image)
      return image
    }
    const wait = ['--entrypoint', '/usr/bin/node', await imageOf('slim')]
    const holder = await must(engine, [
      ...['run', '--detach', '--network', 'none', ...engine.options, ...wait],
      ...['-e', 'setInterval(() => {}, 1e6)'],
    ])
    stack.defer(async () => void (await must(engine, ['rm', '--force', holder])))
    const pid = Number(await must(engine, ['inspect', '--format', '{{.State.Pid}}', holder]))
    stack.use(await startRegistryTwin(registry, pid))
    return new Site(engine, `container:${holder}`, imageOf)
  }

  /** Starts a container for the job and waits for its end. */
  async run(job: Job): Promise<Outcome> {
    return await this.engine.call(['run', '--rm', ...(await this.words(job))])
  }

  /** The words of `docker run` for a job, all but those on what becomes of the container. */
  async words({ kind, context, flags, env = {} }: Job): Promise<readonly string[]> {
    const { options, privileged } = this.engine
    const store = storeOf(kind)
    return [
      ...['--network', this.network, ...options, ...(kind.isPrivileged ? privileged : [])],
      ...[...(kind.options ?? []), ...store.options],
      ...['--volume', `${context}:/context:ro`],
      ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      ...[await this.imageOf(kind.image), ...store.flags, ...flags, '/context'],
    ]
  }
}
