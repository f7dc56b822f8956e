import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, pushFromStore } from '#builder'
import { Collector, openStore, type StoreItem } from '#cache'
import { type Digest, hexOf } from '#core'
import { foreignImage, foreignLayer, publish } from '../../build/support/images.ts'
import { putShell, SHELL_BASE } from '../../build/support/shell-base.ts'
import { type Built, Workplace } from '../../build/support/workplace.ts'

/** A build whose store has every kind of file: made once, and copied for each thing that happens to it. */
export class StoredImage implements AsyncDisposable {
  readonly at: Workplace
  readonly built: Built
  /** What a registry gets. */
  readonly pushed: Digest
  #copies = 0

  private constructor(at: Workplace, built: Built, pushed: Digest) {
    this.at = at
    this.built = built
    this.pushed = pushed
  }

  static async make(): Promise<StoredImage> {
    const at = await Workplace.open()
    putShell(at)
    at.put({ copied: 'copied\n', last: 'last\n' })
    const base = await foreignLayer({ 'd/': '', 'd/base': 'base\n', 'd/gone': '' })
    const upper = await foreignLayer({ 'd/.wh.gone': '', 'lone/x': 'x' })
    publish(at.registry, 'base', foreignImage([base, upper]))
    const tags = [at.at('app')]
    const built = await at.build(dockerfile(at), { reproducible: true, tags })
    const { descriptor } = await pushFromStore({ name: at.at('app'), root: at.path('store') })
    await dropPacked(at.path('store'))
    return new StoredImage(at, built, descriptor.digest)
  }

  /** A copy of the store, in which the image has a name that the registry has nothing of. */
  async copy(): Promise<StoreCopy> {
    const root = this.at.path(`copy${this.#copies++}`)
    execFileSync('cp', ['-a', this.at.path('store'), root])
    const copy = new StoreCopy(this, root)
    const { descriptor } = this.built
    if (descriptor === undefined) throw new Error('an image in a store has a descriptor')
    await using store = openStore(root)
    await store.images.set(`${copy.name}:latest`, descriptor)
    await store.images.remove(`${this.at.at('app')}:latest`)
    return copy
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.at[Symbol.asyncDispose]()
  }
}

/** Removes what the push has kept, so that layers have one form. */
async function dropPacked(root: string): Promise<void> {
  await using store = openStore(root)
  const matches = ({ description }: StoreItem): boolean => description.startsWith('packed layer')
  const gone = await new Collector(store).remove({ all: false, matches })
  if (gone.length === 0) throw new Error('a push keeps what it has packed')
}

/** A store that something may happen to. */
export class StoreCopy {
  readonly image: StoredImage
  readonly root: string
  readonly #repository: string

  constructor(image: StoredImage, root: string) {
    this.image = image
    this.root = root
    this.#repository = `app-${root.slice(root.lastIndexOf('/') + 1)}`
  }

  /** Of the image, without a tag. */
  get name(): string {
    return this.image.at.at(this.#repository)
  }

  build(options: Partial<BuildOptions> = {}, more: readonly string[] = []): Promise<Built> {
    const { at } = this.image
    const lines = [...dockerfile(at), ...more]
    return at.build(lines, { reproducible: true, root: this.root, tags: [this.name], ...options })
  }

  /** @returns the digest in the registry */
  async push(): Promise<Digest> {
    return (await pushFromStore({ name: this.name, root: this.root })).descriptor.digest
  }

  path(name: string): string {
    return join(this.root, name)
  }

  blob(digest: string): string {
    return this.path(`blobs/sha256/${hexOf(digest as Digest)}`)
  }

  /** The tar of a layer that the build has made, from the top. */
  layer(fromTop: number): string {
    return this.blob(this.image.built.layers.at(-1 - fromTop)?.diffId ?? '')
  }

  /** The one file of that name in a folder of any layer. */
  inLayer(name: string): string {
    const layers = this.path('layers')
    const found = readdirSync(layers, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith(`/${name}`),
    )
    if (found.length !== 1) throw new Error(`${name}: ${found.join()}`)
    return join(layers, found[0] ?? '')
  }

  /** The packed layer of the base that holds most. */
  baseBlob(): string {
    const manifest = this.image.at.registry.manifest('base', 'latest')
    const [{ digest }] = JSON.parse(manifest?.bytes.toString() ?? '').layers
    return this.blob(digest)
  }

  /** What was set aside. */
  aside(): readonly string[] {
    return existsSync(this.path('corrupt')) ? readdirSync(this.path('corrupt')) : []
  }

  index(): string {
    return readFileSync(this.path('index.json'), 'utf8')
  }
}

function dockerfile(at: Workplace): readonly string[] {
  return [
    ...SHELL_BASE,
    `FROM ${at.at('base')}`,
    'COPY copied /d/copied',
    'RUN --mount=from=base,source=/bin,target=/bin echo ran > /d/ran',
    'COPY last /last',
  ]
}
