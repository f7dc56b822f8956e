import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { run, temporaryDirectory } from '../../test/support/peers/index.ts'
import type { Builder, BuildWish } from './builder.ts'
import type { OwnHost } from './own-host.ts'

/** The program of this working tree. */
export const CLI: string = fileURLToPath(new URL('../../../cli/bin.js', import.meta.url))

export interface TsbuildOptions {
  /** `cli/bin.js` of a built tsbuild. Default: that of this working tree. */
  readonly program?: string
  /** Where steps get isolated networks; without it, they have that of this machine. */
  readonly host?: OwnHost | undefined
}

export async function startTsbuild(name: string, options: TsbuildOptions = {}): Promise<Builder> {
  const { program = CLI, host } = options
  const storage = temporaryDirectory('tsbuild')
  // It stays: it holds the code that is kept compiled from one run to the next.
  const home = storage.file('home')
  mkdirSync(home)
  let round = 0
  const tsbuild = async (args: readonly string[]): Promise<void> => {
    const env = { TSBUILD_ROOT: storage.file(`${round}`), HOME: home }
    const network = host === undefined ? ['--network', 'host'] : []
    const [command = '', ...words] = [...(host?.enter ?? []), process.execPath, program]
    await run(command, [...words, ...network, '--progress', 'plain', ...args], { env })
  }
  return {
    name,
    reset: async (bases) => {
      round += 1
      for (const base of bases) {
        await tsbuild(['-t', 'bench:latest', base.prime])
        if (base.itself !== undefined) await tsbuild(['-t', base.name, base.itself])
      }
    },
    build: (context, wish = {}) => {
      const { noCache, pushed = 'bench:latest' } = wish
      const flags = noCache === true ? ['--no-cache'] : []
      return tsbuild(['-t', pushed, ...outputsOf(wish), ...flags, context])
    },
    [Symbol.asyncDispose]: async () => storage[Symbol.dispose](),
  }
}

function outputsOf({ pushed, archive, compression = 'gzip' }: BuildWish): readonly string[] {
  const outputs = [
    ...(pushed === undefined ? [] : [`type=image,push=true,compression=${compression}`]),
    ...(archive === undefined ? [] : [`type=oci,dest=${archive},compression=${compression}`]),
  ]
  return outputs.flatMap((output) => ['-o', output])
}
