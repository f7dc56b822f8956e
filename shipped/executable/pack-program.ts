import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { REPOSITORY } from '../image/published.ts'
import { licences } from './licences.ts'
import type { Contents } from './sea-executable.ts'

const BUNDLE = join(REPOSITORY, 'dist/bundle')
const LOADER = join(REPOSITORY, 'dist/cli/start/load-executable.js')
const ADDONS = join(REPOSITORY, `node_modules/@koromix/koffi-linux-${process.arch}`)

/**
 * Collects the program as it is published, and packs what loads it and what is installed beside it.
 * @param folder gets what is made
 */
export async function packProgram(folder: string): Promise<Contents> {
  const program = publishedProgram()
  const version = JSON.stringify(`executable-${hashOf(Object.values(program))}`)
  const pack = async (input: string, name: string, footer: string): Promise<string> => {
    const file = join(folder, name)
    await using packed = await rolldown({ input, platform: 'node' })
    await packed.write({ file, format: 'cjs', minify: true, footer })
    return file
  }
  const terms = join(folder, 'licences.txt')
  writeFileSync(terms, licences())
  return {
    main: await pack(LOADER, 'main.js', `runExecutable(${version})`),
    assets: {
      ...program,
      'thread.js': await pack(LOADER, 'thread.js', `runThread(${version})`),
      'tar-stream.code.js': await pack('tar-stream', 'tar-stream.code.js', ''),
      'koffi.node': join(ADDONS, `linux_${process.arch}`, 'koffi.node'),
      'licences.txt': terms,
    },
  }
}

/** Paths of the files that the loader of the package loads, by their names. */
function publishedProgram(): Readonly<Record<string, string>> {
  const names = readdirSync(BUNDLE).filter((name) => name.endsWith('.code.js'))
  return Object.fromEntries(names.map((name) => [name, join(BUNDLE, name)]))
}

function hashOf(files: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(file))
  return hash.digest('hex').slice(0, 16)
}
