import { lineOf, type Package } from '../package/package.ts'
import { packageUrl } from '../package/package-url.ts'
import type { ReadDeps } from './read-deps.ts'
import { type Stanza, stanzasOf } from './stanzas.ts'

const STATUS = 'var/lib/dpkg/status'
/** Images without dpkg have a file for each package here. */
const STATUS_FOLDER = 'var/lib/dpkg/status.d'
const MAX_STATUS = 128 << 20
const MAX_ONE = 1 << 20
/** Spec: dpkg(1), package states; those of which files are there. */
const PRESENT: ReadonlySet<string> = new Set([
  ...['installed', 'unpacked', 'half-configured', 'half-installed'],
  ...['triggers-awaited', 'triggers-pending'],
])

/** Packages that dpkg has installed, or that images of its packages are made of. */
export function* debPackages(deps: ReadDeps): Generator<Package> {
  const { files, onProblem } = deps
  const status = files.text(STATUS, MAX_STATUS)
  if (status !== undefined) yield* packagesIn(status, STATUS, deps)
  else if (files.find(STATUS) !== undefined) onProblem(`/${STATUS} is too long to be read`)
  for (const name of files.names(STATUS_FOLDER)) {
    if (name.endsWith('.md5sums')) continue
    const path = `${STATUS_FOLDER}/${name}`
    yield* packagesIn(files.text(path, MAX_ONE) ?? '', path, deps)
  }
}

function* packagesIn(
  text: string,
  source: string,
  { distro, distribution }: ReadDeps,
): Generator<Package> {
  for (const stanza of stanzasOf(text)) {
    const name = lineOf(stanza.get('package'))
    const version = lineOf(stanza.get('version'))
    if (name === undefined || version === undefined || !isPresent(stanza)) continue
    const arch = lineOf(stanza.get('architecture'))
    const upstream = sourceOf(stanza, name)
    const namespace = distribution?.id ?? 'debian'
    const url = packageUrl('deb', {
      namespace,
      name,
      version,
      qualifiers: { arch, distro, upstream },
    })
    const supplier = lineOf(stanza.get('maintainer'))
    yield { type: 'deb', name, version, url, supplier, source }
  }
}

function isPresent(stanza: Stanza): boolean {
  const status = stanza.get('status')
  return status === undefined || PRESENT.has(status.split(/\s+/)[2] ?? '')
}

/** `SOURCE (VERSION)`, where they differ. */
function sourceOf(stanza: Stanza, name: string): string | undefined {
  const [, source, version] = /^(\S+)(?:\s+\((\S+)\))?$/.exec(stanza.get('source') ?? '') ?? []
  if (source === undefined || (source === name && version === undefined)) return undefined
  return version === undefined ? source : `${source}@${version}`
}
