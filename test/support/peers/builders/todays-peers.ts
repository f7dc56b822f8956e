import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { cachedFolder } from '../cached-folder.ts'
import { run } from '../process.ts'

/**
 * Debian's packages are years old. A folder beside the project's checkout may hold today's releases
 * of the same programs for amd64: `peers.tar.xz`, and `unpack DIR`, which puts them into a folder.
 */
const BESIDE = fileURLToPath(new URL('../../../../../../shared/peers', import.meta.url))

/**
 * The folder with today's peers, if this machine has it: `TSBUILD_PEERS`, or `../shared/peers` beside
 * the project. `TSBUILD_PEERS=` stands for none.
 * @throws {Error} when `TSBUILD_PEERS` names a folder that does not hold them
 */
export function findPeers(): string | undefined {
  const { TSBUILD_PEERS: named } = process.env
  if (named === '' || process.arch !== 'x64') return undefined
  const folder = resolve(named ?? BESIDE)
  if (['peers.tar.xz', 'unpack'].every((name) => existsSync(join(folder, name)))) return folder
  if (named !== undefined) throw new Error(`TSBUILD_PEERS: ${folder} holds no peers`)
  return undefined
}

/** Unpacks the peers of `findPeers` once, and gives the folder with the programs. */
export async function unpackPeers(folder: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(join(folder, 'peers.tar.xz')), hash)
  return await cachedFolder(['peers', 1, hash.digest('hex')], async (made) => {
    await run(join(folder, 'unpack'), [made])
  })
}
