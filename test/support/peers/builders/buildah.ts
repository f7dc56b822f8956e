import { writeFileSync } from 'node:fs'
import { type Outcome, run } from '../process.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

/** buildah with storage of its own. */
export interface Buildah extends AsyncDisposable {
  /** Fetches a base image, so that a later build finds it. */
  pull(reference: string): Promise<void>
  /** Builds with layers (a cached image a step), on the host's network. */
  build(args: readonly string[]): Promise<Outcome>
  /** Pushes an image, its layers packed with gzip. */
  push(image: string, reference: string): Promise<void>
}

export async function startBuildah(): Promise<Buildah> {
  const directory = temporaryDirectory('buildah')
  const policy = directory.file('policy.json')
  writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}')
  const buildah = (args: readonly string[]) =>
    run('buildah', [
      ...['--root', directory.file('root'), '--runroot', directory.file('run')],
      ...['--storage-driver', 'overlay'],
      ...args,
    ])
  const rules = ['--signature-policy', policy, '--tls-verify=false']
  return {
    pull: async (reference) => void (await buildah(['pull', ...rules, reference])),
    build: (args) =>
      buildah(['build', '--layers', '--network', 'host', '--pull-never', ...rules, ...args]),
    push: async (image, reference) => void (await buildah(['push', ...rules, image, reference])),
    [Symbol.asyncDispose]: async () => {
      await buildah(['rm', '--all'])
      directory[Symbol.dispose]()
    },
  }
}
