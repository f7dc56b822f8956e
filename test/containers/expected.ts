import { mustBuild } from '../e2e/support/tsbuild.ts'
import type { Registry, TemporaryDirectory } from '../support/peers/index.ts'
import { type Column, flagsOf, SECRET } from './columns.ts'

/** Gives the digest that a tag of the registry names. */
export async function digestOf(registry: Registry, image: string): Promise<string> {
  const accept = 'application/vnd.oci.image.manifest.v1+json'
  const url = `http://${registry.host}/v2/${image.replace(':', '/manifests/')}`
  const response = await fetch(url, { method: 'HEAD', headers: { accept } })
  const digest = response.headers.get('docker-content-digest')
  if (digest === null) throw new Error(`${url}: ${response.status}`)
  return digest
}

/** Builds each column on this machine when it is first asked for. */
export class HostBuilds {
  readonly #registry: Registry
  readonly #directory: TemporaryDirectory
  readonly #contextOf: (column: Column) => string
  readonly #digests = new Map<Column, Promise<string>>()

  constructor(
    registry: Registry,
    directory: TemporaryDirectory,
    contextOf: (column: Column) => string,
  ) {
    this.#registry = registry
    this.#directory = directory
    this.#contextOf = contextOf
  }

  /** The digest of what this machine makes of a column. */
  digest(column: Column): Promise<string> {
    const known = this.#digests.get(column) ?? this.#build(column)
    this.#digests.set(column, known)
    return known
  }

  async #build(column: Column): Promise<string> {
    const image = `host/${column}:latest`
    const { host } = this.#registry
    await mustBuild([...flagsOf(column, host), '-t', `${host}/${image}`, this.#contextOf(column)], {
      root: this.#directory.file('host-store'),
      env: { TOKEN: SECRET },
      timeoutMs: 240_000,
    })
    return await digestOf(this.#registry, image)
  }
}
