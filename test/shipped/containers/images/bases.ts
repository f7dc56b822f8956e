import { createHash } from 'node:crypto'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FIXTURES, mustBuild } from '../../../e2e/support/tsbuild.ts'
import {
  busyboxBase,
  cachedFolder,
  debianBase,
  pushLayout,
  type Registry,
  run,
  temporaryDirectory,
} from '../../../support/peers/index.ts'

const FOLDER = join(FIXTURES, 'containers/bases')

/** Pushes `small` and `debian`, which the Dockerfiles of the matrix are built on. */
export async function pushBases(registry: Registry): Promise<void> {
  await pushLayout(await smallBase(), `${registry.host}/small:latest`)
  await pushLayout(await debianWithRepository(), `${registry.host}/debian:latest`)
}

/** busybox with `rights`, a program that shows and gives rights. */
async function smallBase(): Promise<string> {
  return await baseOf('small', `busybox=oci-layout://${await busyboxBase()}`, async (context) => {
    const flags = ['-static', '-Os', '-Wall', '-Wextra', '-Werror']
    await run('gcc', [...flags, '-o', 'rights', 'rights.c'], { cwd: context })
  })
}

/** Debian with a compiler, and with a repository of packages in it. */
async function debianWithRepository(): Promise<string> {
  return await baseOf('debian', `debian=oci-layout://${await debianBase()}`, async () => undefined)
}

/**
 * The OCI layout that this machine's tsbuild makes of a folder of `fixtures/containers/bases`; kept
 * for each version of the folder and of the image below it.
 * @param prepare adds files to a copy of the folder
 */
async function baseOf(
  name: string,
  below: string,
  prepare: (context: string) => Promise<void>,
): Promise<string> {
  const source = join(FOLDER, name)
  return await cachedFolder(['container base', 1, below, digestOf(source)], async (layout) => {
    using directory = temporaryDirectory('base')
    const context = directory.file('context')
    cpSync(source, context, { recursive: true })
    await prepare(context)
    const output = ['--build-context', below, '-o', `type=oci,tar=false,dest=${layout}`]
    await mustBuild(['--network=host', ...output, '-t', 'base:latest', context], {
      root: directory.file('store'),
      timeoutMs: 240_000,
    })
  })
}

function digestOf(folder: string): string {
  const hash = createHash('sha256')
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  for (const file of files.sort()) hash.update(`${file}\0`).update(readFileSync(file)).update('\0')
  return hash.digest('hex')
}
