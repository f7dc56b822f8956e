/** What a soak builds: a few applications with steps in common, each in some versions. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeContext } from '../../support/context.ts'
import { mustBuild } from '../../support/tsbuild.ts'

/** One image that may be built any number of times: it is always the same. */
export interface App {
  /** Also its repository. */
  readonly name: string
  readonly version: number
}

const NAMES = ['one', 'two', 'three', 'four']
const VERSIONS = 3

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
    'RUN echo "$NAME $VERSION" > /version; ln -s /opt/tools /tools; rm /common',
    'COPY last /last',
    '',
  ].join('\n')
}

/** Writes their build context. */
export function writeApps(directory: string, base: string): string {
  const files = Array.from(
    { length: 30 },
    (_, n) => [`common/f${n}`, `${n}\n`.repeat(500)] as const,
  )
  return writeContext(directory, {
    Dockerfile: dockerfile(base),
    last: 'x'.repeat(100_000),
    ...Object.fromEntries(files),
  })
}

/** The name of an image in a registry. */
export function nameOf({ name, version }: App, host: string): string {
  return `${host}/${name}:${version}`
}

/** The arguments of the build of an image. */
export function argumentsOf(app: App, { host, context }: Site): readonly string[] {
  const { name, version } = app
  const values = ['--build-arg', `NAME=${name}`, '--build-arg', `VERSION=${version}`]
  return ['--reproducible', ...values, '-t', nameOf(app, host), context]
}

/** Where a soak takes place. */
export interface Site {
  /** Of the registry. */
  readonly host: string
  readonly context: string
}

/** The images of a store by their names, as digests of manifests. */
export function imagesIn(root: string): ReadonlyMap<string, string> {
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

/** What the images are where nothing ever disturbed a build. */
export async function undisturbed(root: string, site: Site): Promise<ReadonlyMap<string, string>> {
  for (const app of APPS) await mustBuild(argumentsOf(app, site), { root })
  if (readdirSync(join(root, 'corrupt')).length > 0)
    throw new Error('an undisturbed store is damaged')
  return imagesIn(root)
}
