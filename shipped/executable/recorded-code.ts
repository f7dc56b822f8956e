import { cpSync, globSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { run } from '../../test/support/peers/index.ts'
import { MemoryRegistry } from '../../test/support/registry/index.ts'
import { REPOSITORY } from '../image/published.ts'

const HELLO = join(REPOSITORY, 'fixtures/hello')

/** More files than the main thread copies itself. */
const MANY = 600

/**
 * Has an executable do what most of its users do, and takes the compiled code that it keeps of that.
 * @param scratch a folder that is there for this
 * @returns paths of the code, by the names of the files that it is of
 */
export async function recordCode(
  executable: string,
  scratch: string,
): Promise<Readonly<Record<string, string>>> {
  const home = join(scratch, 'home')
  const context = join(scratch, 'context')
  mkdirSync(home)
  await using registry = await MemoryRegistry.start()
  const base = `${registry.host}/base:1`
  writeContext(context, base)
  const env = { HOME: home, TSBUILD_ROOT: join(scratch, 'store') }
  for (const args of [
    ['--version'],
    ['--help'],
    ['parse', join(context, 'Dockerfile')],
    ['-t', base, '--push', HELLO],
    ['-t', 'made', context],
    ['-t', 'cached', context],
    ['-t', 'again', '--no-cache', context],
    ['--output', `type=oci,dest=${join(scratch, 'image.tar')}`, context],
    ['images'],
  ]) {
    await run(executable, args, { env })
  }
  const kept = globSync(join(home, '.cache/tsbuild/code/*/*.code.js'))
  return Object.fromEntries(kept.map((path) => [basename(path), path]))
}

function writeContext(folder: string, base: string): void {
  mkdirSync(join(folder, 'many'), { recursive: true })
  for (let index = 0; index < MANY; index++) {
    writeFileSync(join(folder, 'many', `${index}`), `file ${index}\n`)
  }
  cpSync(join(HELLO, 'hello'), join(folder, 'hello'))
  writeFileSync(join(folder, 'Dockerfile'), dockerfile(base))
}

function dockerfile(base: string): string {
  return `FROM ${base} AS files
COPY many /many
WORKDIR /work
RUN ["/hello", "first"]
FROM ${base}
ARG NAME=value
ENV NAME=$NAME
COPY hello Dockerfile /
COPY --from=files /many /work /
RUN --mount=type=cache,target=/cache ["/hello", "/cache/second"]
ENTRYPOINT ["/hello"]
`
}
