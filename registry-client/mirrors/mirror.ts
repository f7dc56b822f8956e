import { TsbuildError, withoutCredentials } from '#core'
import { DEFAULT_REGISTRY, networkHost } from '../reference.ts'

/** Another place that has what a repository has. */
export interface Mirror {
  /** `HOST[:PORT]` */
  readonly host: string
  /** What the repository is called there. */
  readonly repository: string
  /** It may speak plain http, or have a certificate that nothing trusts. */
  readonly isInsecure: boolean
  /** What it is asked for: a tag of a mirror can be old. */
  readonly accepts: 'all' | 'digests' | 'tags'
}

/** A mirror of a whole registry. */
export interface RegistryMirror {
  readonly registry: string
  readonly host: string
  /** Comes before the names of repositories; may be empty. */
  readonly prefix: string
  readonly isInsecure: boolean
}

/** What the machine says of a repository. */
export interface PullRoute {
  /** Asked one after the other, before the registry. */
  readonly mirrors: readonly Mirror[]
  /** The file that forbids to pull it. */
  readonly blockedBy?: string | undefined
}

/**
 * Reads `HOST=MIRROR[/PREFIX]`; `http://` before the mirror allows that.
 * @throws {TsbuildError} USAGE
 */
export function parseRegistryMirror(text: string): RegistryMirror {
  const [, given = '', to = ''] = /^([^=/\s]+)=(\S+)$/.exec(text) ?? []
  const location = parseLocation(to)
  if (given !== '' && location !== undefined) {
    const isHub =
      networkHost(given) === networkHost(DEFAULT_REGISTRY) || given === 'index.docker.io'
    return { registry: isHub ? DEFAULT_REGISTRY : given, ...location }
  }
  throw new TsbuildError(`invalid mirror "${withoutCredentials(text)}"`, {
    code: 'USAGE',
    hint: 'write HOST=MIRROR[/PREFIX], such as docker.io=mirror.example.com:5000/hub',
  })
}

/** Host and prefix of `[http[s]://]HOST[:PORT][/PREFIX]`; `undefined` for anything else. */
export function parseLocation(text: string): Omit<RegistryMirror, 'registry'> | undefined {
  const match = /^(?:(https?):\/\/)?([^/@?#\s]+)((?:\/[^/?#\s]+)*)\/?$/.exec(text)
  if (match === null || !URL.canParse(`http://${match[2]}`)) return undefined
  const [, protocol, host = '', path = ''] = match
  return { host, prefix: path.slice(1), isInsecure: protocol === 'http' }
}

/** A mirror of a registry for one repository. */
export function mirrorOf(
  { host, prefix, isInsecure }: Omit<RegistryMirror, 'registry'>,
  repository: string,
): Mirror {
  const name = prefix === '' ? repository : `${prefix}/${repository}`
  return { host, repository: name, isInsecure, accepts: 'all' }
}
