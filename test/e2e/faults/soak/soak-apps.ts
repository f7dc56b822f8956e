/** What a soak builds: a few applications with steps in common, each in some versions. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeContext } from '../../support/context.ts'
import { earlierOf } from '../../support/store-check.ts'
import { mustBuild } from '../../support/tsbuild.ts'

/** One image that may be built any number of times: it is always the same. */
export interface App {
  /** Also its repository. */
  readonly name: string
  readonly version: number
}

const NAMES = ['one', 'two', 'three', 'four']
const VERSIONS = 3
/** So many that a copy is made of its earlier version. */
const MANY_FILES = 520
/** Bytes with which its tar is kept in parts of that. */
const LARGE = 9 << 20

/** All that are built. */
export const APPS: readonly App[] = NAMES.flatMap((name) =>
  Array.from({ length: VERSIONS }, (_, version) => ({ name, version })),
)

/**
 * The Dockerfile of all of them. Steps without the name are the same for all; a cache mount is shared, and a
 * stage is copied from.
 */
function dockerfile(base: string): string {
  return [
    `FROM ${base} AS tools`,
    'RUN mkdir /tools && seq 1 2000 > /tools/numbers',
    'RUN --mount=type=cache,target=/cache date >> /cache/log; tail -n 1000 /tools/numbers > /tools/some',
    `FROM ${base}`,
    'RUN echo common > /common',
    'COPY common/ /common.d/',
    'ARG NAME VERSION',
    'RUN echo "$NAME" > /name; cat /common.d/* > /all',
    'COPY --from=tools /tools /opt/tools',
    'COPY many /many',
    'RUN echo "$NAME $VERSION" > /version; ln -s /opt/tools /tools; rm /common',
    'COPY last /last',
    '',
  ].join('\n')
}

/** Writes their build contexts, one for each version: all but a few files are equal. */
export function writeApps(directory: string, base: string): string {
  const files = Array.from(
    { length: 30 },
    (_, n) => [`common/f${n}`, `${n}\n`.repeat(500)] as const,
  )
  const many = Array.from({ length: MANY_FILES }, (_, n) => [`many/f${n}`, `many ${n}\n`] as const)
  for (let version = 0; version < VERSIONS; version++) {
    writeContext(join(directory, `${version}`), {
      Dockerfile: dockerfile(base),
      last: 'x'.repeat(100_000),
      ...Object.fromEntries(files),
      'common/f7': `version ${version}\n`,
      ...Object.fromEntries(many),
      'many/f7': `version ${version}\n`,
      'many/large': Buffer.alloc(LARGE, 'large'),
      [`many/only${version}`]: '',
    })
  }
  return directory
}

/** The name of an image in a registry. */
export function nameOf({ name, version }: App, host: string): string {
  return `${host}/${name}:${version}`
}

/** The arguments of the build of an image. @param more flags besides */
export function argumentsOf(
  app: App,
  { host, context }: Site,
  more: readonly string[] = [],
): readonly string[] {
  const { name, version } = app
  const values = ['--build-arg', `NAME=${name}`, '--build-arg', `VERSION=${version}`]
  return [
    '--reproducible',
    ...more,
    ...values,
    '-t',
    nameOf(app, host),
    join(context, `${version}`),
  ]
}

/** Where a soak takes place. */
export interface Site {
  /** Of the registry. */
  readonly host: string
  /** Of the contexts. */
  readonly context: string
}

/** The images of a store by their names, as digests of manifests. */
function imagesIn(root: string): ReadonlyMap<string, string> {
  const { manifests } = JSON.parse(readFileSync(join(root, 'index.json'), 'utf8')) as {
    manifests: { digest: string; annotations: Record<string, string> }[]
  }
  return new Map(
    manifests.map(({ digest, annotations }) => [
      annotations['org.opencontainers.image.ref.name'] ?? '',
      digest,
    ]),
  )
}

/** The images of a store by their names, as ids: their layers may be in the one or the other form. */
export function imageIdsIn(root: string): ReadonlyMap<string, string> {
  return new Map([...imagesIn(root)].map(([name, digest]) => [name, imageIdOf(root, digest)]))
}

/** `missing` where the blob is not there, which is a fault of its own. */
function imageIdOf(root: string, manifest: string): string {
  const path = join(root, 'blobs/sha256', hexOf(manifest))
  if (!existsSync(path)) return 'missing'
  return (JSON.parse(readFileSync(path, 'utf8')) as { config: { digest: string } }).config.digest
}

/** The hex digits of all blobs of a store, and of those that are in parts. */
export function blobsIn(root: string): readonly string[] {
  const parts = join(root, 'parts')
  return [
    ...readdirSync(join(root, 'blobs/sha256')),
    ...(existsSync(parts) ? readdirSync(parts) : []),
  ]
}

/** Those of the blobs that its names lead to, and of which these have parts. */
export function neededBlobs(root: string): readonly string[] {
  const needed = new Set<string>()
  for (const digest of imagesIn(root).values()) {
    const hex = hexOf(digest)
    needed.add(hex)
    const { config, layers } = JSON.parse(
      readFileSync(join(root, 'blobs/sha256', hex), 'utf8'),
    ) as { config: { digest: string }; layers: { digest: string }[] }
    for (const blob of [config, ...layers]) needed.add(hexOf(blob.digest))
  }
  for (const hex of [...needed]) needed.add(earlierOf(root, hex) ?? hex)
  return [...needed]
}

function hexOf(digest: string): string {
  return digest.slice('sha256:'.length)
}

/** The ids of the images where nothing ever disturbed a build. */
export async function undisturbed(root: string, site: Site): Promise<ReadonlyMap<string, string>> {
  for (const app of APPS) await mustBuild(argumentsOf(app, site), { root })
  if (readdirSync(join(root, 'corrupt')).length > 0)
    throw new Error('an undisturbed store is damaged')
  return imageIdsIn(root)
}
