import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { REPOSITORY } from '../image/published.ts'
import type { Contents } from './sea-executable.ts'

const BUNDLE = join(REPOSITORY, 'dist/bundle')
const LOADER = join(REPOSITORY, 'dist/cli/start/load-executable.js')

/**
 * Collects the program as it is published, and packs what loads it and what is installed beside it.
 * @param folder gets what is packed
 */
export async function packProgram(folder: string): Promise<Contents> {
  const names = readdirSync(BUNDLE).filter((name) => name.endsWith('.code.js'))
  const assets = Object.fromEntries(names.map((name) => [name, join(BUNDLE, name)]))
  const hash = createHash('sha256')
  for (const path of Object.values(assets)) hash.update(readFileSync(path))
  const version = JSON.stringify(`executable-${hash.digest('hex').slice(0, 16)}`)
  const pack = async (input: string, name: string, footer: string): Promise<string> => {
    const file = join(folder, name)
    await using packed = await rolldown({ input, platform: 'node' })
    await packed.write({ file, format: 'cjs', minify: true, footer })
    return file
  }
  const arch = process.arch
  return {
    main: await pack(LOADER, 'main.js', `runExecutable(${version})`),
    assets: {
      ...assets,
      'thread.js': await pack(LOADER, 'thread.js', `runThread(${version})`),
      'tar-stream.code.js': await pack('tar-stream', 'tar-stream.code.js', ''),
      'koffi.node': join(
        REPOSITORY,
        `node_modules/@koromix/koffi-linux-${arch}/linux_${arch}/koffi.node`,
      ),
    },
  }
}
