import { type DockerdOptions, startDockerd } from '../../../support/peers/index.ts'
import type { LoadedEngine } from './load-suite.ts'

/** Debian's docker, or another one, as an engine that images are loaded into. */
export async function dockerEngine(
  options: DockerdOptions = {},
  lose?: (diffId: string) => Promise<void>,
): Promise<LoadedEngine> {
  const dockerd = await startDockerd(options)
  const { docker, socket } = dockerd
  return {
    socket,
    isWhole: async (name) => {
      const { stdout: container } = await docker(['create', '--network', 'none', name])
      const { stdout: files } = await docker(['export', container.trim()])
      await docker(['rm', container.trim()])
      return files.includes('small') && files.includes('large')
    },
    // Of its own store nothing can be lost but with the images that have it.
    lose: lose ?? (async () => void (await docker(['rmi', '-f', ...(await allImages(docker))]))),
    [Symbol.asyncDispose]: () => dockerd[Symbol.asyncDispose](),
  }
}

async function allImages(
  docker: (args: readonly string[]) => Promise<{ readonly stdout: string }>,
): Promise<readonly string[]> {
  const { stdout } = await docker(['images', '-aq', '--no-trunc'])
  return [...new Set(stdout.trim().split('\n'))]
}
