import { mustBuild } from '../../../e2e/support/tsbuild.ts'
import type { Registry, TemporaryDirectory } from '../../../support/peers/index.ts'
import { type Build, flagsOf, SECRET } from './builds.ts'

/** Gives the digest that a tag of the registry names. */
export async function digestOf(registry: Registry, image: string): Promise<string> {
  const accept = 'application/vnd.oci.image.manifest.v1+json'
  const url = `http://${registry.host}/v2/${image.replace(':', '/manifests/')}`
  const response = await fetch(url, { method: 'HEAD', headers: { accept } })
  const digest = response.headers.get('docker-content-digest')
  if (digest === null) throw new Error(`${url}: ${response.status}`)
  return digest
}

/** What this machine's image of a build is called in the registry. */
export function hostImage(build: Build): string {
  return `host/${build}:latest`
}

/** Makes each build on this machine when it is first asked for. */
export class HostBuilds {
  readonly #registry: Registry
  readonly #directory: TemporaryDirectory
  readonly #contextOf: (build: Build) => string
  readonly #digests = new Map<Build, Promise<string>>()

  constructor(
    registry: Registry,
    directory: TemporaryDirectory,
    contextOf: (build: Build) => string,
  ) {
    this.#registry = registry
    this.#directory = directory
    this.#contextOf = contextOf
  }

  /** The digest of what this machine makes of it. */
  digest(build: Build): Promise<string> {
    const known = this.#digests.get(build) ?? this.#build(build)
    this.#digests.set(build, known)
    return known
  }

  async #build(build: Build): Promise<string> {
    const image = hostImage(build)
    const { host } = this.#registry
    await mustBuild([...flagsOf(build, host), '-t', `${host}/${image}`, this.#contextOf(build)], {
      root: this.#directory.file('host-store'),
      env: { TOKEN: SECRET },
      timeoutMs: 240_000,
    })
    return await digestOf(this.#registry, image)
  }
}
