import { type BuildOptions, resolveOptions } from '#builder/options'
import { storedBase } from '#builder/plan'
import type { Sandbox } from '#builder/sandbox'
import type { Snapshots } from '#builder/snapshot'
import { imageLowers, mergedLayerOf, Reporter } from '#builder/solve'
import { openStore, type Store } from '#cache'
import type { Digest, Platform } from '#core'
import { Services } from '../services.ts'
import { openSecrets } from '../step-secrets.ts'

/** How containers are run, as in `BuildOptions`. */
export type ContainerServicesOptions = Pick<
  BuildOptions,
  | 'root'
  | 'isolation'
  | 'snapshotter'
  | 'snapshotSize'
  | 'insecureRegistries'
  | 'registryAuthorities'
  | 'registryMirrors'
  | 'onEvent'
>

/** What containers are run with: what builds are, for as long as this is open. */
export interface ContainerServices extends AsyncDisposable {
  readonly store: Store
  sandbox(): Promise<Sandbox>
  snapshots(): Promise<Snapshots>
  /**
   * The layers of an image of the store as directories, topmost first. They stay as long as a container was made of the
   * image, and as long as `store` is open.
   * @param image digest of its manifest, or of an index
   * @throws {TsbuildError} NOT_FOUND, PLATFORM_MISMATCH
   */
  lowers(image: Digest, platform: Platform, store: Store): Promise<readonly string[]>
}

/** Opens the store and what steps are run with; nothing else is opened before it is needed. */
export async function openContainerServices(
  options: ContainerServicesOptions,
): Promise<ContainerServices> {
  const settings = resolveOptions({ ...options, context: '.' })
  const secrets = await openSecrets(settings)
  const store = openStore(settings.root)
  const services = new Services(settings, { store, secrets, context: '' })
  const { spans, signal, onEvent } = settings
  const client = () => services.client()
  return {
    store,
    sandbox: () => services.sandbox(),
    snapshots: () => services.snapshots(),
    lowers: async (image, platform, from) => {
      const base = await storedBase(image, platform, { store: from, client, signal })
      const directories = await imageLowers(base, {
        ...{ store: from, spans, signal, reporter: new Reporter(onEvent) },
        ...{ pool: services.pool, watch: services.watch, lowerForm: () => services.lowerForm() },
      })
      // No image has what was merged: as long as this process runs it may lie under a container.
      for (const merged of directories.flatMap((one) => mergedLayerOf(one) ?? [])) {
        store.layers.get(merged)
      }
      return directories
    },
    [Symbol.asyncDispose]: async () => {
      await services[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}
